//! Rows that come in: pages are copied out of the driver's frames into one run of bytes, and handed to the reader.

use std::sync::Arc;

use scylla::client::session::Session;
use scylla::deserialize::row::ColumnIterator;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{channel, Receiver, Sender};
use tokio::task::JoinHandle;

use crate::connection::sentence;
use crate::rows::Rows;

const NULL: usize = usize::MAX;

/// Values by row, then column: where each begins and its size (NULL: it is null).
#[derive(Default)]
struct Page {
    columns: usize,
    data: Vec<u8>,
    values: Vec<(usize, usize)>,
}

pub struct Answer {
    pages: Receiver<Result<Page, String>>,
    task: JoinHandle<()>,
    page: Page,
    next: usize, // the row behind the one in hand
}

async fn ask_page(
    session: &Session,
    statement: &PreparedStatement,
    rows: &Rows,
    state: PagingState,
) -> Result<(Page, PagingStateResponse), String> {
    let (result, next) =
        session.execute_single_page(statement, rows.row(0), state).await.map_err(|error| sentence(&error))?;
    let result = result.into_rows_result().map_err(|error| sentence(&error))?;
    let mut page = Page {
        columns: result.column_specs().len(),
        data: Vec::with_capacity(result.rows_bytes_size()),
        values: Vec::with_capacity(result.rows_num() * result.column_specs().len()),
    };
    for row in result.rows::<ColumnIterator>().map_err(|error| sentence(&error))? {
        for column in row.map_err(|error| sentence(&error))? {
            match column.map_err(|error| sentence(&error))?.slice {
                None => page.values.push((0, NULL)),
                Some(value) => {
                    page.values.push((page.data.len(), value.as_slice().len()));
                    page.data.extend_from_slice(value.as_slice());
                }
            }
        }
    }
    Ok((page, next))
}

async fn ask(session: Arc<Session>, statement: PreparedStatement, rows: Rows, to: Sender<Result<Page, String>>) {
    let mut state = PagingState::start();
    loop {
        let answer = ask_page(&session, &statement, &rows, state).await;
        let (page, next) = match answer {
            Ok((page, next)) => (Ok(page), Some(next)),
            Err(error) => (Err(error), None),
        };
        if to.send(page).await.is_err() {
            return; // nobody reads on
        }
        match next {
            Some(PagingStateResponse::HasMorePages { state: more }) => state = more,
            _ => return,
        }
    }
}

impl Answer {
    /// `rows` is one row of values for the statement.
    pub fn open(runtime: &Runtime, session: &Arc<Session>, statement: &PreparedStatement, rows: Rows) -> Answer {
        let (to, pages) = channel(1);
        let task = runtime.spawn(ask(session.clone(), statement.clone(), rows, to));
        Answer { pages, task, page: Page::default(), next: 0 }
    }

    /// Steps to the next row; false at the end.
    pub fn step(&mut self) -> Result<bool, String> {
        while self.next * self.page.columns >= self.page.values.len() {
            match self.pages.blocking_recv() {
                None => return Ok(false),
                Some(page) => self.page = page?,
            }
            self.next = 0;
        }
        self.next += 1;
        Ok(true)
    }

    /// None where it is null, or where there is no row or no such column.
    pub fn value(&self, column: usize) -> Option<&[u8]> {
        if self.next == 0 || column >= self.page.columns {
            return None;
        }
        match *self.page.values.get((self.next - 1) * self.page.columns + column)? {
            (_, NULL) => None,
            (start, size) => Some(&self.page.data[start..start + size]),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
