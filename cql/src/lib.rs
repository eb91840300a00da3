//! The C interface that hubbub_cql.h describes. No panic leaves it: what fails in a way that nobody expects ends as an
//! error, or where there is none to be had as nothing done.

mod connection;
mod pages;
mod rows;

use std::ffi::{c_char, c_int, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use connection::{Connection, Options};
use pages::Answer;

#[repr(C)]
pub struct CqlOptions {
    hosts: *const c_char,
    user: *const c_char,
    password: *const c_char,
    tls: bool,
    authorities: *const c_char,
    certificate: *const c_char,
    key: *const c_char,
    any_host_name: bool,
    consistency: *const c_char,
    datacenter: *const c_char,
    connect_ms: u32,
    request_ms: u32,
    requests: u32,
    bytes: usize,
}

pub struct Cql(Connection);
pub struct CqlRows(Answer);

/// Writes a reason, NUL-terminated, into the caller's room; whole characters only.
unsafe fn tell(reason: &str, error: *mut c_char, size: usize) {
    if size == 0 {
        return;
    }
    let mut count = reason.len().min(size - 1);
    while !reason.is_char_boundary(count) {
        count -= 1;
    }
    std::ptr::copy_nonoverlapping(reason.as_ptr(), error.cast::<u8>(), count);
    *error.add(count) = 0;
}

/// Runs what may fail or panic; `fallback` is what comes back then, with the reason told.
unsafe fn attempt<T>(
    fallback: T,
    error: *mut c_char,
    size: usize,
    work: impl FnOnce() -> Result<T, String>,
) -> T {
    let reason = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return value,
        Ok(Err(reason)) => reason,
        Err(_) => "the driver met a bug of its own".to_string(),
    };
    tell(&reason, error, size);
    fallback
}

/// Runs what only a bug can make fail.
fn quietly<T: Default>(work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_default()
}

unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        String::new()
    } else {
        CStr::from_ptr(pointer).to_string_lossy().into_owned()
    }
}

/// # Safety
/// As hubbub_cql.h says; so for all that follow.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_open(
    options: *const CqlOptions,
    tried: *mut bool,
    error: *mut c_char,
    size: usize,
) -> *mut Cql {
    *tried = false;
    attempt(std::ptr::null_mut(), error, size, || {
        let given = &*options;
        let options = Options {
            hosts: text(given.hosts),
            user: text(given.user),
            password: text(given.password),
            tls: given.tls,
            authorities: text(given.authorities),
            certificate: text(given.certificate),
            key: text(given.key),
            any_host_name: given.any_host_name,
            consistency: text(given.consistency),
            datacenter: text(given.datacenter),
            connect: Duration::from_millis(given.connect_ms.into()),
            request: Duration::from_millis(given.request_ms.into()),
            requests: given.requests as usize,
            bytes: given.bytes,
        };
        let session = connection::plan(&options)?;
        *tried = true;
        Ok(Box::into_raw(Box::new(Cql(Connection::open(session, &options)?))))
    })
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_close(cql: *mut Cql) {
    if !cql.is_null() {
        quietly(|| Box::from_raw(cql).0.close());
    }
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_run(
    cql: *mut Cql,
    statement: *const c_char,
    error: *mut c_char,
    size: usize,
) -> bool {
    attempt(false, error, size, || (*cql).0.run(&text(statement)).map(|()| true))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_use(
    cql: *mut Cql,
    keyspace: *const c_char,
    error: *mut c_char,
    size: usize,
) -> bool {
    attempt(false, error, size, || (*cql).0.use_keyspace(&text(keyspace)).map(|()| true))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_prepare(
    cql: *mut Cql,
    statement: *const c_char,
    error: *mut c_char,
    size: usize,
) -> c_int {
    attempt(-1, error, size, || (*cql).0.prepare(&text(statement)).map(|number| number as c_int))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_row(cql: *mut Cql, statement: c_int) {
    quietly(|| (*cql).0.rows.begin(statement as usize));
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_bytes(cql: *mut Cql, data: *const c_void, size: usize) {
    quietly(|| {
        let bytes = if size == 0 { &[] } else { std::slice::from_raw_parts(data.cast::<u8>(), size) };
        (*cql).0.rows.push(Some(bytes))
    });
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_bigint(cql: *mut Cql, value: i64) {
    quietly(|| (*cql).0.rows.push(Some(&value.to_be_bytes())));
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_int(cql: *mut Cql, value: i32) {
    quietly(|| (*cql).0.rows.push(Some(&value.to_be_bytes())));
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_double(cql: *mut Cql, value: f64) {
    quietly(|| (*cql).0.rows.push(Some(&value.to_be_bytes())));
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_boolean(cql: *mut Cql, value: bool) {
    quietly(|| (*cql).0.rows.push(Some(&[value.into()])));
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_null(cql: *mut Cql) {
    quietly(|| (*cql).0.rows.push(None));
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_held(cql: *const Cql) -> usize {
    (*cql).0.rows.held()
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_send(cql: *mut Cql) {
    quietly(|| (*cql).0.send());
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_wait(cql: *mut Cql, error: *mut c_char, size: usize) -> bool {
    attempt(false, error, size, || (*cql).0.wait().map(|()| true))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_ask(cql: *mut Cql) -> *mut CqlRows {
    catch_unwind(AssertUnwindSafe(|| Box::into_raw(Box::new(CqlRows((*cql).0.ask()))))).unwrap_or(std::ptr::null_mut())
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_rows_close(rows: *mut CqlRows) {
    if !rows.is_null() {
        quietly(|| drop(Box::from_raw(rows)));
    }
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_next(rows: *mut CqlRows, error: *mut c_char, size: usize) -> c_int {
    attempt(-1, error, size, || match rows.as_mut() {
        Some(rows) => rows.0.step().map(c_int::from),
        None => Err("the question could not be asked".to_string()),
    })
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_is_null(rows: *const CqlRows, column: usize) -> bool {
    (*rows).0.value(column).is_none()
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_get_bytes(rows: *const CqlRows, column: usize, size: *mut usize) -> *const c_char {
    let value = (*rows).0.value(column).unwrap_or(&[]);
    *size = value.len();
    value.as_ptr().cast()
}

unsafe fn number<const SIZE: usize>(rows: *const CqlRows, column: usize) -> [u8; SIZE] {
    (*rows).0.value(column).and_then(|value| value.try_into().ok()).unwrap_or([0; SIZE])
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_get_bigint(rows: *const CqlRows, column: usize) -> i64 {
    i64::from_be_bytes(number(rows, column))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_get_int(rows: *const CqlRows, column: usize) -> i32 {
    i32::from_be_bytes(number(rows, column))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_get_double(rows: *const CqlRows, column: usize) -> f64 {
    f64::from_be_bytes(number(rows, column))
}

/// # Safety
/// See above.
#[no_mangle]
pub unsafe extern "C" fn hubbub_cql_get_boolean(rows: *const CqlRows, column: usize) -> bool {
    number::<1>(rows, column) != [0]
}
