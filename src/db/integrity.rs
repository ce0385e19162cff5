//! What a database says of its own state.

use super::Conn;
use crate::error::Result;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// Damaged pages and indexes, and rows that refer to none: one sentence each. PostgreSQL watches over both itself.
pub fn faults(conn: &mut Conn) -> Result<Vec<String>> {
    let Conn::Sqlite(conn) = conn else { return Ok(Vec::new()) };
    let said: Vec<Said> = diesel::sql_query("PRAGMA integrity_check(20)").load(conn)?;
    let mut found: Vec<String> =
        said.into_iter().map(|row| row.integrity_check).filter(|words| words != "ok").collect();
    let broken: Vec<Broken> = diesel::sql_query(
        r#"SELECT "table" AS child, parent, COUNT(*) AS many FROM pragma_foreign_key_check GROUP BY 1, 2"#,
    )
    .load(conn)?;
    found.extend(broken.into_iter().map(|Broken { child, parent, many }| {
        format!("{many} rows of “{child}” refer to rows of “{parent}” that are not there.")
    }));
    Ok(found)
}

/// Bytes of a database that is looked through as a whole at every start, which takes some milliseconds.
const SMALL: u64 = 16 << 20;

#[derive(QueryableByName)]
struct Quick {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Text)]
    col: String,
}

const KEYS: &str = "SELECT m.name AS tab, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.pk > 0 ORDER BY m.name, c.pk";

/// Damage of a SQLite database of this many bytes that shows at a look which costs a start little. Every page of a small
/// one is looked at. Of a large one it is both ends of each table, where what is written last stands; the way there goes
/// from its root downwards. [`faults`] looks at all of any.
///
/// # Errors
/// Damage too, in the database's own words.
pub fn glance(conn: &mut Conn, bytes: u64) -> QueryResult<Option<String>> {
    if bytes <= SMALL {
        let said: Vec<Quick> = diesel::sql_query("PRAGMA quick_check(1)").load(conn)?;
        return Ok(said.into_iter().map(|row| row.quick_check).find(|words| words != "ok"));
    }
    let mut tables: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for Key { tab, col } in diesel::sql_query(KEYS).load::<Key>(conn)? {
        tables.entry(tab).or_default().push(col);
    }
    for (table, key) in tables {
        for way in ["ASC", "DESC"] {
            let order: Vec<String> = key.iter().map(|column| format!("\"{column}\" {way}")).collect();
            let end = format!("SELECT 1 FROM \"{table}\" ORDER BY {} LIMIT 1", order.join(", "));
            diesel::sql_query(end).execute(conn)?;
        }
    }
    Ok(None)
}

/// Whether SQLite says by this that the file is damaged, and not merely out of reach.
pub fn is_damage(error: &impl std::fmt::Display) -> bool {
    let words = error.to_string();
    ["malformed", "not a database", "unsupported file format"].iter().any(|sign| words.contains(sign))
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// Asks each question, which counts what should not be there as `many`: a sentence for each that finds something,
/// the number before the words.
pub fn ask(conn: &mut Conn, questions: &[(&str, &str)]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (question, words) in questions {
        let Count { many } = diesel::sql_query(*question).get_result(conn)?;
        if many > 0 {
            found.push(format!("{many} {words}"));
        }
    }
    Ok(found)
}
