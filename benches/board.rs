//! The board's page, signed in and with a full page of notes, beside `/healthz` of the same server in the same run.
//!
//! `cargo bench --bench board [-- --quick]`. A third row is the page while somebody posts without a pause, so that the
//! wall is drawn again and again.

mod figures;
mod house;
#[path = "house/load.rs"]
mod load;

use figures::{Benched, median, rounds};
use house::{House, http};
use load::load;

const NOTES: usize = 60;

fn main() -> Benched {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let house = House::open()?;
    let address = house.running.address;
    runtime.block_on(async {
        let http = http()?;
        let cookie = house.guest(&http, "Ann").await?;
        for n in 0..NOTES {
            note(&http, &house.base(), &cookie, n).await?;
        }
        let board = format!("GET /board HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n");
        let healthz = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let (mut still, mut busy, mut health) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let (request, other) = (board.clone(), healthz.clone());
            still.push(load(address, move |_| request.clone()).await?.answers);
            health.push(load(address, move |_| other.clone()).await?.answers);
            let (request, base, cookie, http) = (board.clone(), house.base(), cookie.clone(), http.clone());
            let posting = tokio::spawn(async move {
                for n in 0.. {
                    if note(&http, &base, &cookie, n).await.is_err() {
                        break;
                    }
                }
            });
            busy.push(load(address, move |_| request.clone()).await?.answers);
            posting.abort();
        }
        let health = median(health);
        println!("page                       answers/s   of /healthz");
        for (name, rate) in
            [("/healthz", health), ("/board", median(still)), ("/board while notes come", median(busy))]
        {
            println!("{name:<25} {rate:>10.0}   {:>11.2}", rate / health);
        }
        Benched::Ok(())
    })?;
    Ok(house.running.stop()?)
}

async fn note(http: &reqwest::Client, base: &str, cookie: &str, n: usize) -> Benched {
    let text = format!(
        "Note number {n}, of an ordinary length: what people leave on a board for each other to find."
    );
    let form = [("title", "A note"), ("text", &text)];
    let answer = http.post(format!("{base}/board")).header("cookie", cookie).form(&form).send().await?;
    if answer.status() == 303 { Ok(()) } else { Err(format!("a note got {}", answer.status()).into()) }
}
