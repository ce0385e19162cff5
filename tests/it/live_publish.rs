//! `hubbub publish` and `serve -o -d`: the pair as typed, a restart that is ridden out, and who is refused.

use crate::child::{Child, hubbub};
use crate::live::until;
use crate::store::Store;
use crate::visitor::Visitor;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

/// A port that nobody has at the moment.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

fn serve(store: &Store, port: &str) -> Child {
    Child::start_with(store, &["serve", "-o", port, "-d", "1"])
}

/// The publisher as it is typed in the server's folder.
fn publish(store: &Store, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.current_dir(store.folder()).env_clear().stdin(Stdio::null());
    command.arg("publish").args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn receipt(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find(|line| line.starts_with('{'));
    serde_json::from_str(line.unwrap_or_else(|| panic!("no receipt: {output:?}"))).unwrap()
}

async fn known(stranger: &Visitor) -> Value {
    stranger.get("/live/stream-1/samples").await.json()
}

#[tokio::test]
async fn the_pair_as_typed_shows_a_page_that_moves_to_whoever_sits_here() {
    let (store, port) = (Store::new(), free_port());
    let server = serve(&store, &port);
    let output = ended(publish(&store, &["-o", &port, "-d", "1", "--rate", "20", "--seconds", "1"])).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!((&receipt(&output)["accepted"], &receipt(&output)["refused"]), (&json!(20), &json!(0)));
    let stranger = Visitor::new(&server.origin);
    let samples = known(&stranger).await["samples"].as_array().unwrap().clone();
    assert_eq!(samples.len(), 20);
    assert!(samples[0]["fields"]["beam_energy"].is_f64() && samples[0]["picture"] == true, "{}", samples[0]);
    let picture = stranger.get("/live/stream-1/picture.jpg").await.is(200);
    assert_eq!(picture.header("content-type"), "image/jpeg");
    stranger.get("/live/stream-1").await.is(200).has("GeV").has("beam energy").lacks("<chat-timeline");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let secret = store.folder().join("data/live.secret");
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // A second start finds the stream there.
    drop(server);
    drop(serve(&store, &port));
}

#[tokio::test]
async fn a_source_rides_a_restart_out() {
    let (store, port) = (Store::new(), free_port());
    let server = serve(&store, &port);
    let running = tokio::spawn(ended(publish(&store, &["-o", &port, "--rate", "10", "--seconds", "12"])));
    let stranger = Visitor::new(&server.origin);
    until("the first samples", async || known(&stranger).await["samples"].as_array().unwrap().len() > 5)
        .await;
    server.terminate();
    let server = serve(&store, &port);
    let output = running.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("doesn't answer") && said.contains("there again"), "{said}");
    assert!(!said.contains("dropped"), "{said}");
    // What waited while the server was away came with the rest.
    let after = receipt(&output)["accepted"].as_u64().unwrap();
    let stranger = Visitor::new(&server.origin);
    assert_eq!(known(&stranger).await["samples"].as_array().unwrap().len() as u64, after);
    assert!(after > 40, "{said}");
}

#[tokio::test]
async fn a_wrong_key_and_a_far_server_without_one_are_told() {
    let (store, port) = (Store::new(), free_port());
    let _server = serve(&store, &port);
    let said = async |flags: &[&str]| {
        let output = ended(publish(&store, flags)).await;
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["-o", &port, "--key", "push_wrong"]).await.contains("403"));
    assert!(said(&["--to", "http://lab.example"]).await.contains("--key"));
    assert!(said(&["--to", "https://lab.example", "--key", "x"]).await.contains("http://"));
    assert!(said(&["-o", &port, "--rate", "0"]).await.contains("rate"));
    assert!(said(&["-o", &port, "--name", "No Name"]).await.contains("name"));
    let made = ended({
        let mut command = hubbub(&store);
        command.args(["live", "add", "mine"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    })
    .await;
    let key = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    assert!(key.starts_with("push_"), "{made:?}");
    let output =
        ended(publish(&store, &["-o", &port, "--name", "mine", "--key", &key, "--seconds", "1"])).await;
    assert_eq!(receipt(&output)["accepted"], json!(1));
}
