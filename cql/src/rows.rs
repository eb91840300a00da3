//! Values of rows to be sent, encoded as they go over the wire: each value is its size (i32, -1 for null) and its bytes.

use scylla::serialize::batch::{BatchValues, BatchValuesIterator};
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;
use scylla::serialize::SerializationError;

/// What is in hand: rows one behind the other.
#[derive(Default)]
pub struct Rows {
    data: Vec<u8>,
    rows: Vec<Head>,
}

#[derive(Clone, Copy)]
struct Head {
    statement: usize,
    start: usize,
    values: usize,
}

/// One of the rows.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    data: &'a [u8],
    values: usize,
}

#[derive(Debug)]
struct WrongCount {
    given: usize,
    wanted: usize,
}

impl std::fmt::Display for WrongCount {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} values for a statement of {}", self.given, self.wanted)
    }
}

impl std::error::Error for WrongCount {}

impl Rows {
    pub fn begin(&mut self, statement: usize) {
        self.rows.push(Head { statement, start: self.data.len(), values: 0 });
    }

    /// Adds a value to the row begun last; None is null.
    pub fn push(&mut self, value: Option<&[u8]>) {
        let Some(row) = self.rows.last_mut() else { return };
        row.values += 1;
        let size = value.map_or(-1, |bytes| bytes.len() as i32);
        self.data.extend_from_slice(&size.to_be_bytes());
        self.data.extend_from_slice(value.unwrap_or(&[]));
    }

    pub fn held(&self) -> usize {
        self.data.len()
    }

    pub fn statements(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows.iter().map(|row| row.statement)
    }

    pub fn count(&self) -> usize {
        self.rows.len()
    }

    pub fn row(&self, at: usize) -> Row<'_> {
        let head = self.rows[at];
        let end = self.rows.get(at + 1).map_or(self.data.len(), |next| next.start);
        Row { data: &self.data[head.start..end], values: head.values }
    }
}

impl SerializeRow for Row<'_> {
    fn serialize(
        &self,
        context: &RowSerializationContext<'_>,
        writer: &mut RowWriter,
    ) -> Result<(), SerializationError> {
        if context.columns().len() != self.values {
            return Err(SerializationError::new(WrongCount { given: self.values, wanted: context.columns().len() }));
        }
        let mut rest = self.data;
        while let Some((size, behind)) = rest.split_first_chunk::<4>() {
            let size = i32::from_be_bytes(*size);
            let cell = writer.make_cell_writer();
            if size < 0 {
                cell.set_null();
                rest = behind;
            } else {
                let (value, next) = behind.split_at(size as usize);
                cell.set_value(value).map_err(SerializationError::new)?;
                rest = next;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.values == 0
    }
}

pub struct Iter<'a> {
    rows: &'a Rows,
    next: usize,
}

impl BatchValues for Rows {
    type BatchValuesIter<'r> = Iter<'r>;

    fn batch_values_iter(&self) -> Iter<'_> {
        Iter { rows: self, next: 0 }
    }
}

impl Iter<'_> {
    fn step(&mut self) -> Option<Row<'_>> {
        if self.next == self.rows.count() {
            return None;
        }
        self.next += 1;
        Some(self.rows.row(self.next - 1))
    }
}

impl<'r> BatchValuesIterator<'r> for Iter<'r> {
    fn serialize_next(
        &mut self,
        context: &RowSerializationContext<'_>,
        writer: &mut RowWriter,
    ) -> Option<Result<(), SerializationError>> {
        self.step().map(|row| row.serialize(context, writer))
    }

    fn is_empty_next(&mut self) -> Option<bool> {
        self.step().map(|row| row.is_empty())
    }

    fn skip_next(&mut self) -> Option<()> {
        self.step().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_values_apart() {
        let mut rows = Rows::default();
        rows.push(Some(b"lost")); // no row was begun
        rows.begin(3);
        rows.push(Some(b"ab"));
        rows.push(None);
        rows.begin(1);
        rows.push(Some(b""));
        assert_eq!(rows.statements().collect::<Vec<_>>(), [3, 1]);
        assert_eq!(rows.row(0).data, [0, 0, 0, 2, b'a', b'b', 255, 255, 255, 255]);
        assert_eq!(rows.row(0).values, 2);
        assert_eq!(rows.row(1).data, [0, 0, 0, 0]);
        assert_eq!(rows.held(), 14);
        assert_eq!(rows.batch_values_iter().count(), 2);
    }
}
