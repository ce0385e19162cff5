//! Servers that answer with one thing, names that change their mind.

use super::*;
use crate::fetch::Bound;
use futures_core::future::BoxFuture;
use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

const ANY: Wanted = Wanted { accept: "*/*", bound: |_| Some(Bound::Whole(1000)) };

/// Answers each name with the next of its answers, the last one for ever, and counts.
#[derive(Default)]
struct Book(Mutex<(VecDeque<Vec<IpAddr>>, usize)>);

impl Book {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let all = answers.iter().map(|one| one.iter().map(|ip| ip.parse().unwrap()).collect());
        Arc::new(Self(Mutex::new((all.collect(), 0))))
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Names for Book {
    fn look_up(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut book = self.0.lock().unwrap();
        book.1 += 1;
        let answer = if book.0.len() > 1 { book.0.pop_front() } else { book.0.front().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

/// Answers every request with the same, and says what it was asked.
async fn server(answer: String) -> io::Result<(SocketAddr, Arc<Mutex<Vec<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap_or(0);
            ears.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Ok((address, heard))
}

fn says(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn leads(place: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n")
}

async fn get(outward: &Outward, address: &str) -> Result<String, Refused> {
    let url = address.parse().unwrap();
    outward.get(&url, &ANY).await.map(|fetched| String::from_utf8_lossy(&fetched.body).into_owned())
}

#[tokio::test]
async fn what_is_allowed_is_fetched_and_told_nothing_of_who_asks() -> Tested {
    let (address, heard) = server(says("hello")).await?;
    let outward = Outward::new(Guard::new(vec![address]));
    assert_eq!(get(&outward, &format!("http://{address}/a?b#c")).await, Ok("hello".to_owned()));
    let request = heard.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("get /a?b http/1.1\r\n"), "{request}");
    assert!(request.contains("user-agent: hubbub/") && request.contains(&format!("host: {address}")));
    assert!(!request.contains("cookie") && !request.contains("referer"), "{request}");
    assert_eq!(*outward.tally().borrow(), Tally { tried: 1, ended: 1 });
    Ok(())
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_was_judged_is_what_is_connected_to() -> Tested {
    let (address, _) = server(says("hello")).await?;
    let book = Book::of(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let outward = Outward::with(Guard::new(vec![address]), book.clone(), None);
    let place = format!("http://flip.example:{}/", address.port());
    assert_eq!(get(&outward, &place).await, Ok("hello".to_owned()));
    assert_eq!(book.asked(), 1);
    let closed = Refused::Closed([10, 0, 0, 1].into());
    assert_eq!(get(&outward, &place).await, Err(closed), "the next fetch asks anew");
    assert_eq!(outward.tally().borrow().tried, 1);
    Ok(())
}

#[tokio::test]
async fn a_redirect_begins_at_the_beginning() -> Tested {
    let (inner, heard) = server(says("secret")).await?;
    for place in [
        format!("http://{inner}/"),
        format!("http://2130706433:{}/", inner.port()),
        format!("//flip.example:{}/", inner.port()),
    ] {
        let (address, _) = server(leads(&place)).await?;
        let book = Book::of(&[&["127.0.0.1"]]);
        let guard = Guard { ports: vec![inner.port()], ..Guard::new(vec![address]) };
        let outward = Outward::with(guard, book, None);
        let found = get(&outward, &format!("http://{address}/")).await;
        assert_eq!(found, Err(Refused::Closed([127, 0, 0, 1].into())), "{place}");
    }
    for (place, refused) in [
        ("file:///etc/passwd", Refused::Address),
        ("http://ann@127.0.0.1/", Refused::Named),
        ("http://127.0.0.1:22/", Refused::Port),
        ("/again", Refused::Redirects),
    ] {
        let (address, _) = server(leads(place)).await?;
        let outward = Outward::new(Guard::new(vec![address]));
        assert_eq!(get(&outward, &format!("http://{address}/")).await, Err(refused), "{place}");
    }
    assert!(heard.lock().unwrap().is_empty());
    Ok(())
}

#[tokio::test]
async fn too_much_the_wrong_kind_and_nonsense_are_refused() -> Tested {
    let large = says(&"x".repeat(1001));
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n{}", "x".repeat(5000));
    for (answer, refused) in [
        (large, Refused::Large),
        (endless, Refused::Large),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".into(), Refused::Status(404)),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".into(), Refused::Status(302)),
        (says("x").replace("Content-Type", "Content-Encoding: gzip\r\nContent-Type"), Refused::Kind),
    ] {
        let (address, _) = server(answer).await?;
        let outward = Outward::new(Guard::new(vec![address]));
        assert_eq!(get(&outward, &format!("http://{address}/")).await, Err(refused));
    }
    let (address, _) = server("nonsense\r\n\r\n".into()).await?;
    let outward = Outward::new(Guard::new(vec![address]));
    assert!(matches!(get(&outward, &format!("http://{address}/")).await, Err(Refused::Broken(_))));
    let none = Wanted { accept: "*/*", bound: |_| None };
    let (address, _) = server(says("x")).await?;
    let outward = Outward::new(Guard::new(vec![address]));
    let found = outward.get(&format!("http://{address}/").parse()?, &none).await;
    assert_eq!(found, Err(Refused::Kind));
    Ok(())
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() -> Tested {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let outward = Outward(Arc::new(Parts {
        guard: Guard::new(vec![address]),
        names: Book::of(&[]),
        secure: Secure::default(),
        tally: watch::Sender::default(),
        patience: Duration::from_millis(100),
    }));
    assert_eq!(get(&outward, &format!("http://{address}/")).await, Err(Refused::Late));
    Ok(())
}
