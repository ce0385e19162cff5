//! Certificates that somebody else looks after: judged at the start, exchanged by a signal.

use crate::app::PASSWORD;
use crate::child::{Child, hubbub};
use crate::store::Store;
use crate::trust::Trust;
use crate::visitor::{DEADLINE, Visitor};
use data_encoding::BASE64_MIME;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use std::path::PathBuf;
use std::process::Output;
use std::time::Instant;
use time::{Duration, OffsetDateTime};

/// An authority of the world's, and what it signs.
struct World {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl World {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn trust(&self) -> Trust {
        Trust::new(pem("CERTIFICATE", self.issuer.der()))
    }

    /// A certificate for `names` and its key, good from and until so many days from now.
    fn sign(&self, names: &[&str], (from, until): (i64, i64)) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let now = OffsetDateTime::now_utc();
        params.not_before = now + Duration::days(from);
        params.not_after = now + Duration::days(until);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        (pem("CERTIFICATE", made.der()), pem("PRIVATE KEY", &key.serialize_der()))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", BASE64_MIME.encode(der).replace('\r', ""))
}

fn file(store: &Store, name: &str, text: &str) -> PathBuf {
    let path = store.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn serve(store: &Store, flags: &[&str]) -> Output {
    hubbub(store).args(["serve", "--tls-listen", "127.0.0.1:0"]).args(flags).output().unwrap()
}

/// Waits until what is looked for is in the log; looking is asking for a page each time.
async fn until_logged(child: &Child, words: &str) {
    let started = Instant::now();
    while !child.log().contains(words) {
        assert!(started.elapsed() < DEADLINE, "the log has no {words:?}: {}", child.log());
        Visitor::new(&child.origin).get("/healthz").await.is(200);
    }
}

#[tokio::test]
async fn a_signal_exchanges_the_certificate_while_a_socket_stays_open() {
    let (store, world) = (Store::new(), World::new());
    let (cert, key) = world.sign(&["localhost"], (-1, 90));
    file(&store, "cert.pem", &cert);
    file(&store, "key.pem", &key);
    let flags = ["--tls-listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let child = Child::start_with(&store, &flags);
    let (trust, port) = (world.trust(), child.tls_port());
    let ann = Visitor::trusting(&format!("https://localhost:{port}"), &trust);
    ann.post("/register", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    ann.get("/authority.crt").await.is(404);
    let mut socket = ann.socket().await;
    let (_, before) = trust.shake_hands(port).await.unwrap();

    let (next, next_key) = world.sign(&["localhost", "talk.example"], (-1, 80));
    file(&store, "cert.pem", &next);
    child.signal("HUP");
    until_logged(&child, "doesn't belong to the first certificate").await;
    assert_eq!(trust.shake_hands(port).await.unwrap().1, before, "half of an exchange changes nothing");

    file(&store, "key.pem", &next_key);
    child.signal("HUP");
    until_logged(&child, "another certificate now").await;
    let (_, after) = trust.shake_hands(port).await.unwrap();
    assert_ne!(before, after);
    socket.must(json!({ "type": "ping" })).await;
    ann.get("/dashboard").await.is(200);
    assert_eq!(child.terminate().code(), Some(0));
}

#[tokio::test]
async fn wrong_files_are_refused_at_the_start_in_a_sentence() {
    let (store, world) = (Store::new(), World::new());
    let (cert, key) = world.sign(&["localhost"], (-1, 90));
    let (_, other) = world.sign(&["localhost"], (-1, 90));
    file(&store, "cert.pem", &cert);
    file(&store, "key.pem", &key);
    file(&store, "other.pem", &other);
    file(&store, "locked.pem", &other.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
    file(&store, "words.pem", "this is no certificate, and no key either");
    file(&store, "old.pem", &world.sign(&["localhost"], (-90, -1)).0);
    file(&store, "early.pem", &world.sign(&["localhost"], (3, 90)).0);
    file(&store, "nameless.pem", &world.sign(&[], (-1, 90)).0);
    file(&store, "broken.pem", &cert.replace("\nMII", "\nAAA"));
    file(&store, "cut.pem", &(cert.clone() + &cert[..200]));
    for (cert, key, words) in [
        ("none.pem", "key.pem", "none.pem (tls_cert) is not there"),
        ("cert.pem", "none.pem", "none.pem (tls_key) is not there"),
        ("words.pem", "key.pem", "words.pem (tls_cert) has no certificate"),
        ("cert.pem", "words.pem", "words.pem (tls_key) has no key"),
        ("cert.pem", "cert.pem", "cert.pem (tls_key) has no key"),
        ("cert.pem", "other.pem", "doesn't belong to the first certificate of cert.pem"),
        ("cert.pem", "locked.pem", "locked with a passphrase"),
        (".", "key.pem", ". (tls_cert) is no file"),
        ("old.pem", "key.pem", "old.pem (tls_cert) expired on"),
        ("early.pem", "key.pem", "early.pem (tls_cert) is not valid before"),
        ("nameless.pem", "key.pem", "is for no name at all"),
        ("broken.pem", "key.pem", "broken.pem (tls_cert) is damaged"),
        ("cut.pem", "key.pem", "cut.pem (tls_cert) is damaged"),
    ] {
        refused(&store, &["--tls-cert", cert, "--tls-key", key], words);
    }
    refused(&store, &["--tls-cert", "cert.pem"], "needs tls_key");
    refused(&store, &["--tls-key", "key.pem"], "needs tls_cert");
    let lonely = hubbub(&store).args(["serve", "--tls-redirect", "on"]).output().unwrap();
    assert_eq!(lonely.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&lonely.stderr).contains("tls_redirect needs tls_listen"));
}

#[track_caller]
fn refused(store: &Store, flags: &[&str], words: &str) {
    let output = serve(store, flags);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
    assert!(
        said.contains(words) && said.trim_end().ends_with('.') && said.lines().count() == 1,
        "{flags:?}: {said}"
    );
}

#[tokio::test]
async fn the_doctor_says_for_whom_and_until_when() {
    let store = Store::new();
    let doctor = |flags: &[&str]| {
        let output = hubbub(&store).arg("doctor").args(flags).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let own = ["--tls-listen", "127.0.0.1:0"];
    assert!(doctor(&own).contains("no certificate for HTTPS yet"), "{}", doctor(&own));
    let child = Child::start_with(&store, &own);
    let said = doctor(&["--tls-listen", &format!("127.0.0.1:{}", child.tls_port())]);
    assert!(said.contains("is in use by a Hubbub that runs and is healthy"), "{said}");
    assert!(
        said.contains("ok    The certificate is for localhost, ") && said.contains("good until 20"),
        "{said}"
    );
    let fingerprint = child.greeting.lines().find_map(|line| line.split("fingerprint is ").nth(1)).unwrap();
    assert!(said.contains(fingerprint), "{said}");
    child.kill();

    let world = World::new();
    let (cert, key) = world.sign(&["talk.example"], (-80, 5));
    file(&store, "cert.pem", &cert);
    file(&store, "key.pem", &key);
    let given = ["--tls-listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let said = doctor(&given);
    assert!(said.contains("note  The certificate is for talk.example and good until"), "{said}");
    file(&store, "cert.pem", "nothing");
    assert!(
        doctor(&given).contains("no    The file cert.pem (tls_cert) has no certificate"),
        "{}",
        doctor(&given)
    );
}
