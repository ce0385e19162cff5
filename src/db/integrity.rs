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
