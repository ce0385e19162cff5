//! Out of a database: its tables row by row, as of one moment.

use super::row::{Row, write_end, write_head};
use super::tables::Table;
use crate::db::Conn;
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::io::Write;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    many: i64,
}

/// Writes a table's rows down and answers with their number. One row at a time is in memory.
///
/// # Errors
/// What the database or the disk says.
pub fn unload(conn: &mut Conn, table: &Table, out: &mut dyn Write) -> Result<u64, String> {
    let failed =
        |error: &dyn std::fmt::Display| format!("the table “{}”: {}", table.name, super::words(&error));
    let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let query = diesel::sql_query(format!("SELECT {} FROM \"{}\"", columns.join(", "), table.name));
    write_head(out).map_err(|error| failed(&error))?;
    let rows = match conn {
        Conn::Sqlite(c) => {
            let rows = query.load_iter::<Row, DefaultLoadingMode>(c).map_err(|error| failed(&error))?;
            pour(rows, table, out)?
        }
        Conn::Postgres(c) => {
            let rows = query.load_iter::<Row, PgRowByRowLoadingMode>(c).map_err(|error| failed(&error))?;
            pour(rows, table, out)?
        }
    };
    write_end(out).map_err(|error| failed(&error))?;
    if let Conn::Sqlite(c) = conn {
        // Counted over an index, which a damaged table doesn't agree with.
        let counted = diesel::sql_query(format!("SELECT COUNT(*) AS many FROM \"{}\"", table.name));
        let Count { many } = counted.get_result(c).map_err(|error| failed(&error))?;
        if u64::try_from(many) != Ok(rows) {
            return Err(format!(
                "the table “{}” is damaged: it counts {many} rows and has {rows}",
                table.name
            ));
        }
    }
    Ok(rows)
}

fn pour(
    rows: impl Iterator<Item = QueryResult<Row>>,
    table: &Table,
    out: &mut dyn Write,
) -> Result<u64, String> {
    let mut count = 0;
    for row in rows {
        let row = row.map_err(|error| format!("the table “{}”: {}", table.name, super::words(&error)))?;
        row.write(&table.columns, out)
            .map_err(|error| format!("the table “{}”: {}", table.name, super::words(&error)))?;
        count += 1;
    }
    Ok(count)
}
