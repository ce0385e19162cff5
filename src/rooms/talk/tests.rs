//! Who is in a talk, and for whom it is closed.

use super::*;
use crate::config::Config;
use crate::db::Database;
use crate::rooms::{Change, Request, RoomName, Target};

type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

const ANN: UserId = UserId(1);
const BOB: UserId = UserId(2);

fn house() -> std::result::Result<(Rooms, tempfile::TempDir), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.set("data", &folder.path().to_string_lossy())?;
    Ok((Rooms::open(&config, drop)?, folder))
}

/// A recording of Ann's, and the talk about it, which both have joined.
async fn recording(rooms: &Rooms, name: &str) -> Result<(MediaId, RoomId)> {
    let path = name.to_owned();
    let item = rooms.db.write(move |conn| {
        use media_items as m;
        let words = (m::path.eq(&path), m::title.eq(&path), m::kind.eq("audio"), m::mime.eq("audio/wav"));
        let facts = (m::size.eq(1), m::modified_at.eq(1), m::added_at.eq(1), m::user_id.eq(ANN));
        diesel::insert_into(m::table).values((words, facts)).execute(conn)?;
        Ok(m::table.filter(m::path.eq(&path)).select(m::id).first::<MediaId>(conn)?)
    });
    let item = item.await?;
    let talk = rooms.talk(Some(ANN), About::media(item), name.to_owned()).await?.ok_or_else(nowhere)?;
    for user in [ANN, BOB] {
        rooms.change_room(Request::Join { user, target: Target::Id(talk) }).await?;
    }
    Ok((item, talk))
}

async fn give(db: &Database<Change>, item: MediaId, audience: &'static str) -> Result<()> {
    let change = move |conn: &mut Conn| {
        let row = diesel::update(media_items::table.find(item));
        row.set(media_items::audience.eq(audience)).execute(conn)?;
        Ok(())
    };
    db.write(change).await
}

#[tokio::test]
async fn a_membership_that_outlives_the_sight_of_the_thing_leads_nowhere() -> Tested {
    let (rooms, _folder) = house()?;
    let (item, talk) = recording(&rooms, "diary").await?;
    let (_, open) = recording(&rooms, "song").await?;
    // As after a crash between the two changes.
    give(&rooms.db, item, "own").await?;
    let ids = |user| rooms.db.read(move |conn| room::joined_ids(conn, user));
    let (hers, his) = (ids(ANN).await?, ids(BOB).await?);
    assert!(hers.contains(&talk) && hers.contains(&open));
    assert!(!his.contains(&talk) && his.contains(&open));
    let (views, _) = rooms.db.read(|conn| room::joined(conn, BOB, 9)).await?;
    assert!(views.iter().all(|view| view.id != talk) && views.iter().any(|view| view.id == open));
    Ok(())
}

#[tokio::test]
async fn whoever_sees_the_thing_no_more_is_taken_out_at_once() -> Tested {
    let (rooms, _folder) = house()?;
    let (item, talk) = recording(&rooms, "diary").await?;
    for user in 3..=40 {
        rooms.change_room(Request::Join { user: UserId(user), target: Target::Id(talk) }).await?;
    }
    give(&rooms.db, item, "own").await?;
    let about = About::media(item);
    let facts = rooms.db.write(move |conn| Ok(apply(conn, &Deed::Narrow { about })?.1)).await?;
    let gone = |fact: &Fact| matches!(fact, Fact::Left { room, members: 1, .. } if *room == talk);
    assert_eq!((facts.len(), facts.iter().filter(|fact| gone(fact)).count()), (39, 39));
    let left = rooms.db.read(move |conn| Ok(membership::members(conn, talk, UserId(0), 99)?)).await?;
    assert_eq!(left, [ANN]);
    assert_eq!(rooms.db.read(move |conn| room::find(conn, talk)).await?.members, 1);
    Ok(())
}

#[tokio::test]
async fn talks_leave_the_places_of_a_short_list_to_other_rooms() -> Tested {
    let (rooms, _folder) = house()?;
    let name = RoomName::parse("lab").map_err(|wrong| wrong.message)?;
    let lab = Request::CreateChannel { owner: BOB, name, topic: String::new() };
    let lab = rooms.change_room(lab).await?.id;
    for name in ["one", "two", "three"] {
        recording(&rooms, name).await?;
    }
    let (views, more) = rooms.db.read(|conn| room::joined(conn, BOB, 2)).await?;
    let kinds: Vec<Kind> = views.iter().map(|view| view.kind).collect();
    assert_eq!((kinds, views[1].id, more), (vec![Kind::Board, Kind::Channel, Kind::Talk], lab, true));
    Ok(())
}
