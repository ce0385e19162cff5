//! The rail: a person's rooms with what they haven't read, kept for as long as one reads a page's first line.

use crate::accounts::{Accounts, Directory, Faces, Presence};
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{BOARD, UserId};
use crate::rooms::{Kind, RoomView, Rooms, block, direct, room};
use crate::site::page::{channel_href, direct_href, group_href, talk_href};
use crate::site::rail::{Rail, RailFuture, RailProvider, RailRoom};
use crate::text::fold;
use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Rooms that the rail is chosen from: those with the newest activity. More would make every page long.
const ROOMS: i64 = 60;
/// How old a count may be. Scripts count live; this is what a page without them shows.
const KEPT: Duration = Duration::from_secs(2);

/// The rails that were made a moment ago. Cheap to clone; made before [`Rails`], for whoever tells it what changed.
#[derive(Clone)]
pub struct RailMemory {
    kept: Cache<i64, Arc<Rail>>,
    // Counts the calls of `forget`: what was read before one must not be kept after it.
    forgotten: Arc<AtomicU64>,
}

impl Default for RailMemory {
    fn default() -> Self {
        let kept = Cache::builder().max_capacity(20_000).time_to_live(KEPT).build();
        Self { kept, forgotten: Arc::default() }
    }
}

impl RailMemory {
    /// Has the person's rail made anew for their next page: they joined, left or read something.
    pub fn forget(&self, user: UserId) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.kept.invalidate(&user.0);
    }

    /// Has everybody's rail made anew: a room is called otherwise.
    pub fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.kept.invalidate_all();
    }

    fn count(&self) -> u64 {
        self.forgotten.load(Ordering::Acquire)
    }

    /// Keeps what was read when the count was `before`.
    fn keep(&self, user: UserId, rail: &Arc<Rail>, before: u64) {
        if self.count() == before {
            self.kept.insert(user.0, rail.clone());
        }
    }
}

/// Everybody's rails. Cheap to clone.
#[derive(Clone)]
pub struct Rails {
    rooms: Rooms,
    directory: Directory,
    faces: Faces,
    presence: Arc<dyn Presence>,
    memory: RailMemory,
}

impl Rails {
    pub fn new(rooms: Rooms, accounts: &Accounts, presence: Arc<dyn Presence>, memory: RailMemory) -> Self {
        let (directory, faces) = (accounts.directory.clone(), accounts.faces.clone());
        Self { rooms, directory, faces, presence, memory }
    }

    async fn make(&self, user: UserId) -> Result<Arc<Rail>> {
        let before = self.memory.count();
        let marks = self.rooms.marks.clone();
        let read = move |conn: &mut Conn| {
            let (mut views, more) = room::joined(conn, user, ROOMS)?;
            marks.see(conn, user, &mut views)?;
            Ok((views, more, block::blocked_by(conn, user)?))
        };
        let (mut views, more, blocked) = self.rooms.db.snapshot(read).await?;
        direct::introduce(&self.directory, user, &mut views).await?;
        let peers: Vec<UserId> = views.iter().filter_map(|view| view.peer.as_ref()).map(|p| p.id).collect();
        let here = self.presence.online(&peers);
        let states = peers.into_iter().zip(here).filter(|(_, here)| *here).map(|(peer, _)| (peer, "online"));
        let blocked = blocked.iter().map(|id| id.0).collect();
        let faces = self.faces.sheet().await?.href();
        let rail = Arc::new(Rail { blocked, faces, ..draw(views, more, &states.collect()) });
        self.memory.keep(user, &rail, before);
        Ok(rail)
    }
}

impl RailProvider for Rails {
    fn rail(&self, user: i64) -> RailFuture {
        if let Some(rail) = self.memory.kept.get(&user) {
            return Box::pin(std::future::ready(rail));
        }
        let rails = self.clone();
        Box::pin(async move {
            rails.make(UserId(user)).await.unwrap_or_else(|error| {
                // A page without its rail is still a page.
                tracing::warn!(%error, "a rail could not be made");
                Arc::default()
            })
        })
    }
}

fn draw(views: Vec<RoomView>, more_channels: bool, states: &HashMap<UserId, &'static str>) -> Rail {
    let mut rail = Rail { more_channels, ..Rail::default() };
    rail.board_unread = views.iter().any(|view| view.id == BOARD && view.unread() > 0);
    for view in views {
        match view.kind {
            Kind::Channel => rail.channels.push(room_of(view, states)),
            Kind::Group => rail.groups.push(room_of(view, states)),
            // One that nobody has written in is nobody's place yet.
            Kind::Direct if view.last_seq > 0 && view.peer.is_some() => {
                rail.directs.push(room_of(view, states));
            }
            // There may be one for every recording: those that have news are enough.
            Kind::Talk if view.unread() > 0 => rail.talks.push(room_of(view, states)),
            Kind::Board | Kind::Direct | Kind::Talk => {}
        }
    }
    rail.channels.sort_by_cached_key(|channel| fold(&channel.name));
    rail.groups.sort_by_cached_key(|group| (fold(&group.name), group.id));
    rail
}

fn room_of(view: RoomView, states: &HashMap<UserId, &'static str>) -> RailRoom {
    let href = match (&view.kind, &view.peer) {
        (Kind::Direct, Some(peer)) => direct_href(&peer.username),
        (Kind::Channel, _) => channel_href(&view.name),
        (Kind::Talk, _) => talk_href(view.id.0),
        _ => group_href(view.id.0),
    };
    RailRoom {
        id: view.id.0,
        kind: view.kind.as_str(),
        href,
        unread: view.unread(),
        mentions: view.mentions,
        level: view.level.unwrap_or_default().as_str(),
        state: view.peer.as_ref().and_then(|peer| states.get(&peer.id)).copied().unwrap_or("offline"),
        peer: view.peer.map(|peer| peer.id.0),
        name: view.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Accounts;
    use crate::config::Config;
    use crate::events::Events;
    use crate::rooms::{Author, Mentionable, Request, RoomName, Target, Typed};

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    struct Nobody;

    impl Presence for Nobody {
        fn online(&self, ids: &[UserId]) -> Vec<bool> {
            vec![false; ids.len()]
        }

        fn left_at(&self, _: UserId) -> Option<i64> {
            None
        }
    }

    const ANN: UserId = UserId(1);
    const BEN: UserId = UserId(2);

    fn house() -> std::result::Result<(Rooms, Rails, tempfile::TempDir), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.set("data", &folder.path().to_string_lossy())?;
        let rooms = Rooms::open(&config, |_| ())?;
        let accounts = Accounts::open(Arc::new(config), Events::default())?;
        let rails = Rails::new(rooms.clone(), &accounts, Arc::new(Nobody), RailMemory::default());
        Ok((rooms, rails, folder))
    }

    async fn create(rooms: &Rooms, owner: UserId, name: &str) -> std::result::Result<RoomView, String> {
        let name = RoomName::parse(name).map_err(|wrong| wrong.message.into_owned())?;
        let request = Request::CreateChannel { owner, name, topic: String::new() };
        rooms.change_room(request).await.map_err(|error| error.detail())
    }

    async fn post(rooms: &Rooms, room: crate::ids::RoomId, author: UserId) -> Result<()> {
        let author = Author { id: author, name: "Ben".into(), ..Author::default() };
        rooms.post(Typed::new("hello")?.check(author, room, &Mentionable::new())?).await.map(drop)
    }

    #[tokio::test]
    async fn the_rail_lists_joined_channels_by_name_with_what_is_unread() -> Tested {
        let (rooms, rails, _folder) = house()?;
        for name in ["zebra", "Äpfel 5.0", "alpha"] {
            create(&rooms, ANN, name).await?;
        }
        create(&rooms, BEN, "not joined").await?;
        let zebra =
            rooms.change_room(Request::Join { user: BEN, target: Target::Channel("zebra".into()) }).await?;
        post(&rooms, zebra.id, BEN).await?;
        post(&rooms, BOARD, BEN).await?;
        let rail = rails.rail(ANN.0).await;
        let shown: Vec<_> =
            rail.channels.iter().map(|c| (c.name.as_str(), c.href.as_str(), c.unread)).collect();
        assert_eq!(
            shown,
            [("alpha", "/c/alpha", 0), ("zebra", "/c/zebra", 1), ("Äpfel 5.0", "/c/%C3%84pfel%205.0", 0)]
        );
        assert!(rail.board_unread && !rail.more_channels);
        Ok(())
    }

    #[tokio::test]
    async fn a_rail_is_kept_until_its_person_joins_leaves_or_reads() -> Tested {
        let (rooms, rails, _folder) = house()?;
        let first = rails.rail(ANN.0).await;
        let room = create(&rooms, ANN, "general").await?;
        assert!(Arc::ptr_eq(&first, &rails.rail(ANN.0).await));
        rails.memory.forget(ANN);
        assert_eq!(rails.rail(ANN.0).await.channels.len(), 1);
        rooms.change_room(Request::Join { user: BEN, target: Target::Id(room.id) }).await?;
        post(&rooms, room.id, BEN).await?;
        rails.memory.forget(ANN);
        assert_eq!(rails.rail(ANN.0).await.channels[0].unread, 1);
        rooms.marks.set(ANN, room.id, 1, false);
        rails.memory.forget(ANN);
        assert_eq!(rails.rail(ANN.0).await.channels[0].unread, 0);
        Ok(())
    }
}
