//! The pictures that people choose in the place of their initials.

use crate::app::spawn_app;
use crate::attachments::{bomb, photo, tells};
use crate::visitor::{Answer, Visitor};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

impl Visitor {
    async fn choose(&self, bytes: Vec<u8>) -> Answer {
        let form = Form::new().part("picture", Part::bytes(bytes).file_name("me.jpg"));
        self.answer(self.request(Method::POST, "/settings/picture").multipart(form)).await
    }
}

#[tokio::test]
async fn a_chosen_picture_is_small_and_square_tells_nothing_and_shows_everywhere_until_it_is_taken_back() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    ann.get("/people").await.is(200).lacks("faces.css");
    assert_eq!(ann.me().await["picture"], Value::Null);
    let mut socket = ann.socket().await;

    ann.choose(photo(900, 600)).await.is(303);
    let heard = socket.hear("the change", |frame| frame["type"] == "profile").await;
    let address = ann.me().await["picture"].as_str().unwrap().to_owned();
    assert_eq!(heard["picture"], address.as_str());
    let seen = bob.get("/api/v1/users/ann").await.is(200).json();
    assert_eq!((&seen["picture"], address.starts_with("/people/1/picture?v=")), (&heard["picture"], true));

    let picture = bob.get(&address).await.is(200);
    assert!(!tells(&picture.body) && picture.body.len() < 40_000, "{}", picture.body.len());
    let pixels = image::load_from_memory(&picture.body).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (256, 256));
    assert_eq!(picture.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    // Under another version's address it is not kept for good.
    let other = bob.get("/people/1/picture?v=0").await.is(200);
    assert_eq!(other.header("cache-control"), "private, no-cache");
    let stranger = app.stranger().get(&address).await;
    assert_ne!(stranger.status, 200);

    // Every page brings the style sheet, and every face says whose it is.
    let sheet = heard["faces"].as_str().unwrap();
    let page = ann.get("/people").await.is(200).has(sheet);
    page.has("face-1\"").has("face-2\"");
    let css = ann.get(sheet).await.is(200);
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(css.header("cache-control"), "private, max-age=31536000, immutable");
    let css = css.has(&address).lacks("face-2").text();
    assert!(css.starts_with(".face.face-1{"), "{css}");

    // Another picture has another address; with none, the colour is back.
    ann.choose(photo(100, 300)).await.is(303);
    let second = ann.me().await["picture"].as_str().unwrap().to_owned();
    assert_ne!(second, address);
    let pixels = image::load_from_memory(&ann.get(&second).await.is(200).body).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (100, 100));
    ann.get("/settings").await.is(200).has("/settings/picture/remove");
    ann.post("/settings/picture/remove", &[]).await.is(303);
    assert_eq!(ann.me().await["picture"], Value::Null);
    ann.get(&second).await.is(404);
    ann.get("/people").await.is(200).lacks("faces.css");
    ann.get("/settings").await.is(200).lacks("/settings/picture/remove");
}

#[tokio::test]
async fn what_is_no_picture_is_refused_in_words_and_the_last_one_stays() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.choose(photo(300, 300)).await.is(303);
    let before = ann.me().await["picture"].clone();
    ann.choose(bomb(50_000, 50_000)).await.is(422).has("50000 × 50000");
    ann.choose(b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()).await.is(422).has("Only JPEG");
    ann.choose(photo(300, 300)[..200].to_vec()).await.is(422).has("damaged");
    let empty = ann.request(Method::POST, "/settings/picture").multipart(Form::new().text("picture", ""));
    ann.answer(empty).await.is(422).has("Choose a picture first.");
    assert_eq!(ann.me().await["picture"], before);
    let guest = app.guest("Gil").await;
    guest.choose(photo(30, 30)).await.is(422).has("Guests can");
    assert_eq!(guest.me().await["picture"], Value::Null);
    app.stranger().get("/people/1/picture").await.is(303);
}
