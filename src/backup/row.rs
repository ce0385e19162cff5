//! Rows in the binary format of PostgreSQL's `COPY`: a head, then for each row the number of its fields, for each field its
//! length and its bytes, and −1 behind the last row (<https://www.postgresql.org/docs/15/sql-copy.html>, "File Formats").

use super::tables::{Column, Kind};
use diesel::deserialize::{self, QueryableByName};
use diesel::pg::Pg;
use diesel::row::{Field as _, NamedRow};
use diesel::sqlite::{Sqlite, SqliteType};
use std::io::{self, Read, Write};

/// The signature, no flags, no extension.
const HEAD: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands for NULL in the place of a length.
const NULL: i32 = -1;
/// What stands behind the last row in the place of a number of fields.
const END: i16 = -1;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// As PostgreSQL sends it, which is as it is written down.
    Wire(Vec<u8>),
}

/// One row of any table.
pub struct Row(pub Vec<Cell>);

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for at in 0..row.field_count() {
            let field = diesel::row::Row::get(row, at).ok_or("a row has fewer fields than it says")?;
            let cell = match field.value() {
                None => Cell::Null,
                Some(mut value) => match value.value_type() {
                    None => Cell::Null,
                    Some(SqliteType::Integer | SqliteType::Long | SqliteType::SmallInt) => {
                        Cell::Int(value.read_long())
                    }
                    Some(SqliteType::Float | SqliteType::Double) => Cell::Real(value.read_double()),
                    // Read as bytes, because what isn't UTF-8 has to be noticed.
                    Some(SqliteType::Text) => Cell::Text(String::from_utf8(value.read_blob().to_vec())?),
                    Some(SqliteType::Binary) => Cell::Bytes(value.read_blob().to_vec()),
                },
            };
            cells.push(cell);
        }
        Ok(Self(cells))
    }
}

impl QueryableByName<Pg> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for at in 0..row.field_count() {
            let field = diesel::row::Row::get(row, at).ok_or("a row has fewer fields than it says")?;
            cells.push(field.value().map_or(Cell::Null, |value| Cell::Wire(value.as_bytes().to_vec())));
        }
        Ok(Self(cells))
    }
}

fn wrong(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// What stands before the first row.
pub fn write_head(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HEAD)
}

/// What stands behind the last row.
pub fn write_end(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&END.to_be_bytes())
}

impl Row {
    /// Writes it down.
    ///
    /// # Errors
    /// `InvalidData` for a value that its column can't have, as damaged tables do.
    pub fn write(&self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        let count = i16::try_from(columns.len()).map_err(|_| wrong("there are too many columns".into()))?;
        if self.0.len() != columns.len() {
            return Err(wrong("a row has another number of fields than its table".into()));
        }
        out.write_all(&count.to_be_bytes())?;
        for (cell, column) in self.0.iter().zip(columns) {
            match (cell, column.kind) {
                (Cell::Null, _) => out.write_all(&NULL.to_be_bytes())?,
                (Cell::Wire(bytes), _) | (Cell::Bytes(bytes), Kind::Bytea) => write_field(bytes, out)?,
                (Cell::Text(text), Kind::Text) => write_field(text.as_bytes(), out)?,
                (Cell::Int(n), Kind::Int8) => write_field(&n.to_be_bytes(), out)?,
                (Cell::Int(n), Kind::Int4) => {
                    let n = i32::try_from(*n).map_err(|_| misfit(column))?;
                    write_field(&n.to_be_bytes(), out)?;
                }
                (Cell::Int(n @ 0..=1), Kind::Bool) => write_field(&[u8::from(*n == 1)], out)?,
                (Cell::Real(n), Kind::Float8) => write_field(&n.to_be_bytes(), out)?,
                _ => return Err(misfit(column)),
            }
        }
        Ok(())
    }
}

fn misfit(column: &Column) -> io::Error {
    wrong(format!("the column “{}” has a value that it can't have", column.name))
}

fn write_field(bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let length = i32::try_from(bytes.len()).map_err(|_| wrong("a value is larger than 2 GiB".into()))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

/// Reads the head.
///
/// # Errors
/// `InvalidData` when this is no such file.
pub fn read_head(from: &mut dyn Read) -> io::Result<()> {
    let mut head = [0; HEAD.len()];
    from.read_exact(&mut head)?;
    if &head == HEAD { Ok(()) } else { Err(wrong("a table doesn't begin as tables do".into())) }
}

/// Reads the next row; nothing behind the last one.
///
/// # Errors
/// `InvalidData` for what is no row of these columns.
pub fn read_row(columns: &[Column], from: &mut dyn Read) -> io::Result<Option<Row>> {
    let count = i16::from_be_bytes(read_array(from)?);
    if count == END {
        return Ok(None);
    }
    if usize::try_from(count) != Ok(columns.len()) {
        return Err(wrong("a row has another number of fields than its table".into()));
    }
    columns
        .iter()
        .map(|column| read_cell(column, from))
        .collect::<io::Result<_>>()
        .map(|cells| Some(Row(cells)))
}

fn read_cell(column: &Column, from: &mut dyn Read) -> io::Result<Cell> {
    let length = i32::from_be_bytes(read_array(from)?);
    if length == NULL {
        return Ok(Cell::Null);
    }
    let length = u64::try_from(length).map_err(|_| misfit(column))?;
    Ok(match (column.kind, length) {
        (Kind::Int8, 8) => Cell::Int(i64::from_be_bytes(read_array(from)?)),
        (Kind::Int4, 4) => Cell::Int(i32::from_be_bytes(read_array(from)?).into()),
        (Kind::Bool, 1) => Cell::Int(u8::from_be_bytes(read_array(from)?).min(1).into()),
        (Kind::Float8, 8) => Cell::Real(f64::from_be_bytes(read_array(from)?)),
        (Kind::Text, _) => {
            Cell::Text(String::from_utf8(read_bytes(length, from)?).map_err(|_| misfit(column))?)
        }
        (Kind::Bytea, _) => Cell::Bytes(read_bytes(length, from)?),
        _ => return Err(misfit(column)),
    })
}

fn read_array<const N: usize>(from: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Not more memory than there are bytes, whatever the length says.
fn read_bytes(length: u64, from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    fn columns(kinds: &[Kind]) -> Vec<Column> {
        kinds.iter().map(|kind| Column { name: "x".into(), kind: *kind }).collect()
    }

    #[test]
    fn a_row_comes_back_as_it_was_and_postgres_would_read_it() -> Tested {
        let columns = columns(&[Kind::Int8, Kind::Int4, Kind::Text, Kind::Bool, Kind::Bytea, Kind::Float8]);
        let full = vec![
            Cell::Int(i64::MIN),
            Cell::Int(-7),
            Cell::Text("天氣 ok".into()),
            Cell::Int(1),
            Cell::Bytes(vec![0, 255, 10]),
            Cell::Real(-0.5),
        ];
        let empty = vec![Cell::Null; 6];
        let mut bytes = Vec::new();
        write_head(&mut bytes)?;
        Row(full.clone()).write(&columns, &mut bytes)?;
        Row(empty.clone()).write(&columns, &mut bytes)?;
        write_end(&mut bytes)?;
        // Two bytes of count; for −7 the length 4 and its two's complement.
        assert_eq!(bytes[19..21], [0, 6]);
        assert_eq!(bytes[33..41], [0, 0, 0, 4, 255, 255, 255, 249]);
        let mut from = bytes.as_slice();
        read_head(&mut from)?;
        for row in [full, empty] {
            assert_eq!(read_row(&columns, &mut from)?.map(|row| row.0), Some(row));
        }
        assert!(read_row(&columns, &mut from)?.is_none() && from.is_empty());
        Ok(())
    }

    #[test]
    fn what_a_column_cannot_have_is_refused_on_both_ways() {
        let mut out = Vec::new();
        for (cell, kind) in [
            (Cell::Text("1".into()), Kind::Int8),
            (Cell::Int(1 << 40), Kind::Int4),
            (Cell::Int(2), Kind::Bool),
            (Cell::Bytes(vec![1]), Kind::Text),
        ] {
            let refused = Row(vec![cell]).write(&columns(&[kind]), &mut out);
            assert_eq!(refused.map_err(|error| error.kind()), Err(io::ErrorKind::InvalidData), "{kind:?}");
        }
        for bytes in
            [&[0, 1, 0, 0, 0, 9][..], &[0, 2], &[0, 1, 255, 255, 255, 254], &[0, 1, 0, 0, 0, 8, 1], &[]]
        {
            assert!(read_row(&columns(&[Kind::Int8]), &mut &*bytes).is_err(), "{bytes:?}");
        }
        let not_utf8 = [0, 1, 0, 0, 0, 1, 255];
        assert!(read_row(&columns(&[Kind::Text]), &mut not_utf8.as_slice()).is_err());
        assert!(read_head(&mut b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x01".as_slice()).is_err());
    }
}
