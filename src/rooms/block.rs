//! Whom a person doesn't want to hear from: their messages are folded, and they can't write privately.

use super::Rooms;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::blocks;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::on_conn;
use diesel::prelude::*;

/// People whom one person may block; every page and connection carries the list.
const MOST: i64 = 500;

/// Whether `by` has blocked `whom`.
pub fn is_blocked(conn: &mut Conn, by: UserId, whom: UserId) -> Result<bool> {
    let row = blocks::table.find((by, whom)).select(blocks::user_id).first::<UserId>(conn).optional()?;
    Ok(row.is_some())
}

/// Whom the person has blocked, the latest first.
pub fn blocked_by(conn: &mut Conn, user: UserId) -> Result<Vec<UserId>> {
    Ok(blocks::table
        .filter(blocks::user_id.eq(user))
        .order(blocks::blocked_at.desc())
        .limit(MOST)
        .select(blocks::blocked_id)
        .load(conn)?)
}

/// # Errors
/// `Invalid` for oneself, `Conflict` for one too many.
pub fn block(conn: &mut Conn, by: UserId, whom: UserId) -> Result<()> {
    if by == whom {
        return Err(Error::field("username", "You can't block yourself."));
    }
    let held: i64 = blocks::table.filter(blocks::user_id.eq(by)).count().get_result(conn)?;
    if held >= MOST {
        return Err(Error::conflict(
            "too_many_blocks",
            "You have blocked 500 people already. Unblock somebody first.",
        ));
    }
    let row = (blocks::user_id.eq(by), blocks::blocked_id.eq(whom), blocks::blocked_at.eq(now_ms()));
    on_conn!(conn, c => diesel::insert_into(blocks::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

pub fn unblock(conn: &mut Conn, by: UserId, whom: UserId) -> Result<()> {
    diesel::delete(blocks::table.find((by, whom))).execute(conn)?;
    Ok(())
}

impl Rooms {
    /// Blocks somebody or lets them speak again. Answers with everybody who is blocked now.
    ///
    /// # Errors
    /// As for [`block`].
    pub async fn set_blocked(&self, by: UserId, whom: UserId, blocked: bool) -> Result<Vec<UserId>> {
        let change = move |conn: &mut Conn| {
            if blocked { block(conn, by, whom) } else { unblock(conn, by, whom) }?;
            blocked_by(conn, by)
        };
        self.db.write(change).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn a_block_goes_one_way_and_ends_where_it_began()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.set("data", &folder.path().to_string_lossy())?;
        let rooms = Rooms::open(&config, |_| ())?;
        let (ann, bob) = (UserId(1), UserId(2));
        assert_eq!(rooms.set_blocked(ann, bob, true).await?, [bob]);
        assert_eq!(rooms.set_blocked(ann, bob, true).await?, [bob], "twice is once");
        let both = move |conn: &mut Conn| Ok((is_blocked(conn, ann, bob)?, is_blocked(conn, bob, ann)?));
        assert_eq!(rooms.db.read(both).await?, (true, false));
        assert!(rooms.set_blocked(ann, ann, true).await.is_err());
        assert!(rooms.set_blocked(ann, bob, false).await?.is_empty());
        assert_eq!(rooms.db.read(both).await?, (false, false));
        Ok(())
    }
}
