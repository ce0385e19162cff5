//! What stays of uploads, and for how long.

use super::*;
use crate::config::Config;
use crate::rooms::{Request, RoomName, Rooms, Target};

type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

struct House {
    rooms: Rooms,
    room: RoomId,
    _folder: tempfile::TempDir,
}

const ANN: UserId = UserId(1);
const HOUR: i64 = 60 * 60 * 1000;

async fn house() -> std::result::Result<House, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.set("data", &folder.path().to_string_lossy())?;
    let rooms = Rooms::open(&config, |_| ())?;
    let name = RoomName::parse("general").map_err(|wrong| Error::Invalid(vec![wrong]))?;
    let room = rooms.change_room(Request::CreateChannel { owner: ANN, name, topic: String::new() }).await?.id;
    Ok(House { rooms, room, _folder: folder })
}

impl House {
    async fn upload(&self, content: &'static [u8]) -> Result<Attachment> {
        let room = self.room;
        let new = Prepared::new(content.to_vec())?;
        self.rooms.db.write(move |conn| store(conn, ANN, room, "a.txt", &new, 1000)).await
    }

    /// How many attachments and how many contents there are.
    async fn counts(&self) -> Result<(i64, i64)> {
        let counts = |conn: &mut Conn| {
            Ok((attachments::table.count().get_result(conn)?, blobs::table.count().get_result(conn)?))
        };
        self.rooms.db.read(counts).await
    }

    async fn sweep_after(&self, ms: i64) -> Result<bool> {
        self.rooms.db.write(move |conn| sweep(conn, now_ms() + ms)).await
    }
}

#[tokio::test]
async fn what_nobody_sends_within_a_day_goes_with_its_content_and_what_was_sent_stays() -> Tested {
    let house = house().await?;
    let (room, sent) = (house.room, house.upload(b"sent").await?.id);
    house.upload(b"sent").await?;
    house.upload(b"never sent").await?;
    house.rooms.db.write(move |conn| take(conn, ANN, room, &[sent], 1)).await?;
    assert!(!house.sweep_after(23 * HOUR).await?);
    assert_eq!(house.counts().await?, (3, 2));
    house.sweep_after(25 * HOUR).await?;
    assert_eq!(house.counts().await?, (1, 1));
    house.rooms.db.write(move |conn| forget(conn, room, 1)).await?;
    assert_eq!(house.counts().await?, (0, 0), "a deleted message takes its files along");
    Ok(())
}

#[tokio::test]
async fn much_is_swept_a_little_at_a_time() -> Tested {
    let house = house().await?;
    for _ in 0..=SWEPT {
        house.upload(b"the same").await?;
    }
    assert!(house.sweep_after(25 * HOUR).await?, "there is more");
    assert_eq!(house.counts().await?, (1, 1));
    assert!(!house.sweep_after(25 * HOUR).await?);
    assert_eq!(house.counts().await?, (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_piece_ends_where_the_content_does() -> Tested {
    let house = house().await?;
    let id = house.upload(b"0123456789").await?.id;
    let (stored, piece, rest) = house
        .rooms
        .db
        .read(move |conn| {
            let stored = find(conn, ANN, id)?;
            let piece = read(conn, &stored.hash, false, 2, 3)?;
            let rest = read(conn, &stored.hash, false, 8, 100)?;
            Ok((stored, piece, rest))
        })
        .await?;
    assert_eq!(
        (stored.bytes(false), stored.bytes(true), piece, rest),
        (10, 0, b"234".to_vec(), b"89".to_vec())
    );
    Ok(())
}

#[tokio::test]
async fn one_who_left_can_neither_store_nor_send() -> Tested {
    let house = house().await?;
    let (room, id) = (house.room, house.upload(b"mine").await?.id);
    house.rooms.change_room(Request::Leave { user: ANN, target: Target::Id(room) }).await?;
    assert_eq!(house.upload(b"more").await.map_err(|e| e.code()).err(), Some("not_member"));
    assert_eq!(house.rooms.may_attach(ANN, room).await.map_err(|e| e.code()), Err("not_member"));
    // Taking back one's own is no writing.
    house.rooms.db.write(move |conn| withdraw(conn, ANN, room, id)).await?;
    assert_eq!(house.counts().await?, (0, 0));
    Ok(())
}

#[test]
fn an_address_is_safe_and_a_shape_is_one_of_the_style_sheets() {
    let row = |name: &str, width, height| -> Attachment {
        (
            AttachmentId(7),
            name.into(),
            String::new(),
            "image/png".into(),
            9,
            Some(width),
            Some(height),
            false,
            None,
        )
            .into()
    };
    let odd = row("a b/?#%\"<é>.png", 10_000, 1);
    assert_eq!(odd.url, "/attachments/7/a%20b%2F%3F%23%25%22%3C%C3%A9%3E.png");
    assert_eq!((odd.shape(), row("x", 1, 10_000).shape(), row("x", 640, 480).shape()), (30, 4, 13));
    let json = Json(serde_json::to_string(&[&odd]).unwrap());
    assert_eq!(Attachment::list(Some(&json)), [odd]);
    assert_eq!(Attachment::list(Some(&Json("damaged".into()))), []);
}
