//! The index of the search: it says what a look at every message says, whatever is written, changed and half done.

use crate::search::{close, config, open};
use crate::store::Store;
use diesel::prelude::*;
use hubbub::db::schema::messages::{messages, rooms, search_segments, search_words};
use hubbub::ids::{BOARD, RoomId, UserId};
use hubbub::rooms::search::{Asked, Indexer, Key, Pace, Query, find};
use hubbub::rooms::{Author, Mentionable, Request, RoomName, Rooms, Typed};
use std::collections::BTreeSet;

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % sides).unwrap()
    }
}

const PEOPLE: u64 = 4;

async fn write(rooms: &Rooms, dice: &mut Dice, room: RoomId) {
    let words = ["apple", "apples", "pear", "plum", "天氣好", "天好", "read_file", "Мир"];
    let text: Vec<&str> = (0..=dice.roll(4)).map(|_| words[usize::try_from(dice.roll(8)).unwrap()]).collect();
    let author = Author { id: UserId(1 + dice.roll(PEOPLE)), name: "x".into(), ..Author::default() };
    let typed = Typed::new(text.join(" ")).unwrap();
    rooms.post(typed.check(author, room, &Mentionable::new()).unwrap()).await.unwrap();
}

/// Edits, deletes or touches a message, as the commands for it do.
pub async fn change(rooms: &Rooms, room: RoomId, seq: i64, how: i64) {
    rooms
        .db
        .write(move |conn| {
            let rev: i64 = rooms::table.find(room).select(rooms::rev).first(conn)?;
            diesel::update(rooms::table.find(room)).set(rooms::rev.eq(rev + 1)).execute(conn)?;
            let row = || messages::table.find((room, seq));
            diesel::update(row()).set(messages::rev.eq(rev + 1)).execute(conn)?;
            match how {
                0 => diesel::update(row())
                    .set((messages::text.eq("plum edited"), messages::edited_at.eq(5)))
                    .execute(conn)?,
                1 => diesel::update(row())
                    .set((messages::text.eq(""), messages::deleted_at.eq(5)))
                    .execute(conn)?,
                _ => diesel::update(row()).set(messages::pinned.eq(true)).execute(conn)?,
            };
            Ok(())
        })
        .await
        .unwrap();
}

/// A query, what it is to find, and whose messages alone.
type Look = (&'static str, fn(&str) -> bool, Option<i64>);

type Row = (i64, i64, i64, i64, String, Option<i64>);

/// What a look at every message finds.
async fn looked_up(rooms: &Rooms, holds: impl Fn(&str) -> bool, author: Option<i64>) -> Vec<(i64, i64)> {
    let rows: Vec<Row> = rooms
        .db
        .read(|conn| {
            Ok(messages::table
                .order((messages::posted_at.desc(), messages::room_id.desc(), messages::seq.desc()))
                .select((
                    messages::room_id,
                    messages::seq,
                    messages::author_id,
                    messages::posted_at,
                    messages::text,
                    messages::deleted_at,
                ))
                .load(conn)?)
        })
        .await
        .unwrap();
    let rows = rows
        .into_iter()
        .filter(|row| row.5.is_none() && author.is_none_or(|author| author == row.2) && holds(&row.4));
    rows.map(|row| (row.0, row.1)).collect()
}

/// Everything that a search finds, page by page.
async fn searched(rooms: &Rooms, query: &str, limit: usize) -> Vec<(i64, i64)> {
    let query = Query::parse(query).unwrap();
    let people =
        query.from.iter().map(|named| (named.name.clone(), UserId(named.name.parse().unwrap()))).collect();
    let mut asked = Asked { user: Some(UserId(1)), query, limit, people, ..Asked::default() };
    let mut all = Vec::new();
    loop {
        let now = asked.clone();
        let page = rooms.db.snapshot(move |conn| find(conn, &now)).await.unwrap();
        assert!(page.messages.len() <= limit && !page.behind);
        all.extend(page.messages.iter().map(|message| (message.room.0, message.seq)));
        let Some(next) = page.next else { return all };
        assert!(asked.before.is_none_or(|before: Key| next < before), "the pages don't go back");
        asked.before = Some(next);
    }
}

#[tokio::test]
async fn the_index_finds_what_a_look_at_every_message_finds() {
    let store = Store::new();
    let rooms = open(&config(&store)).await;
    let mut dice = Dice(88_172_645_463_325_252);
    let mut places = vec![BOARD];
    for name in ["one", "two", "three"] {
        let name = RoomName::parse(name).unwrap();
        let request = Request::CreateChannel { owner: UserId(1), name, topic: String::new() };
        places.push(rooms.change_room(request).await.unwrap().id);
        for user in 2..=i64::try_from(PEOPLE).unwrap() {
            let target = hubbub::rooms::Target::Id(*places.last().unwrap());
            rooms.change_room(Request::Join { user: UserId(user), target }).await.unwrap();
        }
    }
    let mut indexer = Indexer::new(rooms.db.clone()).unwrap();
    for round in 0..12 {
        for _ in 0..20 {
            let room = places[usize::try_from(dice.roll(4)).unwrap()];
            write(&rooms, &mut dice, room).await;
            let last: i64 = rooms
                .db
                .read(move |c| Ok(rooms::table.find(room).select(rooms::last_seq).first(c)?))
                .await
                .unwrap();
            if dice.roll(4) == 0 {
                let (seq, how) = (1 + dice.roll(u64::try_from(last).unwrap()), dice.roll(3));
                change(&rooms, room, seq, how).await;
            }
        }
        // Some rounds are left to the direct look, some indexers never come back.
        if round % 3 != 2 {
            indexer.run(Pace::Eager).await.unwrap();
        }
        if round == 5 {
            indexer = Indexer::new(rooms.db.clone()).unwrap();
        }
        let looks: [Look; 9] = [
            ("apple ", |t| t.split(' ').any(|w| w == "apple"), None),
            ("apple", |t| t.contains("apple"), None),
            ("plum pear ", |t| t.contains("plum") && t.contains("pear"), None),
            ("\"pear plum\"", |t| t.contains("pear plum"), None),
            ("天氣", |t| t.contains("天氣"), None),
            ("天好 -plum", |t| t.contains("天好") && !t.contains("plum"), None),
            ("file", |t| t.contains("read_file"), None),
            ("мир from:2", |t| t.contains("Мир"), Some(2)),
            ("from:3", |_| true, Some(3)),
        ];
        for (query, holds, author) in looks {
            let wanted = looked_up(&rooms, holds, author).await;
            let limit = usize::try_from(1 + dice.roll(40)).unwrap();
            assert_eq!(searched(&rooms, query, limit).await, wanted, "round {round}: {query}");
        }
    }
    close(rooms).await;
}

#[tokio::test]
async fn the_beginning_of_very_many_words_finds_them_all() {
    let store = Store::new();
    let rooms = open(&config(&store)).await;
    let author = Author { id: UserId(1), name: "x".into(), ..Author::default() };
    for n in 0..40 {
        let words: Vec<String> = (0..20).map(|m| format!("number{}", n * 20 + m)).collect();
        let text = if n % 4 == 0 { "nothing of the kind".into() } else { words.join(" ") };
        let post = Typed::new(text).unwrap().check(author.clone(), BOARD, &Mentionable::new()).unwrap();
        rooms.post(post).await.unwrap();
    }
    Indexer::new(rooms.db.clone()).unwrap().run(Pace::Eager).await.unwrap();
    let terms: Vec<String> = rooms
        .db
        .read(|c| {
            use search_words as w;
            let beginnings = w::table.filter(w::word.like("^%"));
            Ok(beginnings.order(w::word).select(w::word).distinct().load(c)?)
        })
        .await
        .unwrap();
    assert_eq!(terms, ["^nu", "^num", "^numb", "^numbe", "^number"]);
    let holds = |text: &str| text.contains("number");
    for query in ["nu", "number", "-nothing number"] {
        assert_eq!(searched(&rooms, query, 7).await, looked_up(&rooms, holds, None).await, "{query}");
    }
    let of_one = |text: &str| text.split(' ').any(|word| word.starts_with("number30"));
    assert_eq!(searched(&rooms, "number30", 7).await, looked_up(&rooms, of_one, None).await);
    close(rooms).await;
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_removed_and_written_again() {
    let store = Store::new();
    let rooms = open(&config(&store)).await;
    let mut dice = Dice(2_463_534_242);
    for _ in 0..30 {
        write(&rooms, &mut dice, BOARD).await;
    }
    rooms
        .db
        .write(|conn| {
            use search_segments as s;
            use search_words as w;
            let row = (
                s::id.eq(77),
                s::state.eq("building"),
                s::documents.eq(3),
                s::oldest.eq(0),
                s::newest.eq(i64::MAX),
            );
            diesel::insert_into(s::table).values(row).execute(conn)?;
            for n in 0..900 {
                let row = (
                    w::segment.eq(77),
                    w::word.eq(format!("half{n}")),
                    w::part.eq(0),
                    w::postings.eq(vec![1, 1, 0]),
                );
                diesel::insert_into(w::table).values(row).execute(conn)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(searched(&rooms, "half1", 50).await, []);
    let before = searched(&rooms, "apple", 50).await;
    Indexer::new(rooms.db.clone()).unwrap().run(Pace::Eager).await.unwrap();
    assert_eq!(searched(&rooms, "apple", 50).await, before);
    assert!(!before.is_empty());
    let left: BTreeSet<i64> = rooms
        .db
        .read(|conn| {
            Ok(search_words::table.select(search_words::segment).distinct().load(conn)?.into_iter().collect())
        })
        .await
        .unwrap();
    let ready: BTreeSet<i64> = rooms
        .db
        .read(|conn| Ok(search_segments::table.select(search_segments::id).load(conn)?.into_iter().collect()))
        .await
        .unwrap();
    assert_eq!((left.len(), left == ready), (1, true), "{left:?} {ready:?}");
    close(rooms).await;
}
