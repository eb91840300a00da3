//! The C interface that hubbub_parquet.h describes. Nothing of what is passed in is kept, but for the descriptor.

use std::ffi::{c_char, c_int, CStr};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

const TEXT: u32 = 0;
const COUNT: u32 = 1;
const TIME: u32 = 2;
const BOOL: u32 = 3;

#[repr(C)]
pub struct Column {
    name: *const c_char,
    kind: u32,
}

#[repr(C)]
pub struct Values {
    bytes: *const u8,
    ends: *const u64,
    numbers: *const i64,
}

/// The caller's descriptor: written to, never closed.
struct Borrowed(ManuallyDrop<File>);

impl Write for Borrowed {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

pub struct Writer {
    file: SerializedFileWriter<BufWriter<Borrowed>>,
    kinds: Vec<u32>,
}

/// Writes a reason, NUL-terminated, into the caller's room.
unsafe fn tell(reason: &str, error: *mut c_char, size: usize) {
    if size == 0 {
        return;
    }
    let count = reason.len().min(size - 1);
    std::ptr::copy_nonoverlapping(reason.as_ptr(), error.cast::<u8>(), count);
    *error.add(count) = 0;
}

fn field(name: &str, kind: u32) -> Result<TypePtr> {
    let physical = match kind {
        TEXT => Physical::BYTE_ARRAY,
        BOOL => Physical::BOOLEAN,
        _ => Physical::INT64,
    };
    let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
    let builder = match kind {
        TEXT => builder.with_converted_type(ConvertedType::UTF8).with_logical_type(Some(LogicalType::String)),
        TIME => builder.with_logical_type(Some(LogicalType::Timestamp {
            is_adjusted_to_u_t_c: true,
            unit: TimeUnit::MILLIS(Default::default()),
        })),
        _ => builder,
    };
    Ok(Arc::new(builder.build()?))
}

unsafe fn open(file: c_int, columns: &[Column]) -> Result<Writer> {
    let mut fields = Vec::new();
    for column in columns {
        fields.push(field(&CStr::from_ptr(column.name).to_string_lossy(), column.kind)?);
    }
    let schema = Arc::new(Type::group_type_builder("hubbub").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("hubbub".to_string())
        .build();
    let out = BufWriter::with_capacity(256 * 1024, Borrowed(ManuallyDrop::new(File::from_raw_fd(file))));
    Ok(Writer {
        file: SerializedFileWriter::new(out, schema, Arc::new(properties))?,
        kinds: columns.iter().map(|column| column.kind).collect(),
    })
}

/// # Safety
/// As hubbub_parquet.h says.
#[no_mangle]
pub unsafe extern "C" fn hubbub_parquet_open(
    file: c_int,
    columns: *const Column,
    count: usize,
    error: *mut c_char,
    error_size: usize,
) -> *mut Writer {
    match open(file, std::slice::from_raw_parts(columns, count)) {
        Ok(writer) => Box::into_raw(Box::new(writer)),
        Err(reason) => {
            tell(&reason.to_string(), error, error_size);
            std::ptr::null_mut()
        }
    }
}

unsafe fn texts(values: &Values, rows: usize) -> Vec<ByteArray> {
    let ends = std::slice::from_raw_parts(values.ends, rows);
    let mut start = 0;
    let mut list = Vec::with_capacity(rows);
    for &end in ends {
        let size = (end - start) as usize;
        let text = if size == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(values.bytes.add(start as usize), size)
        };
        list.push(ByteArray::from(text.to_vec()));
        start = end;
    }
    list
}

unsafe fn write(writer: &mut Writer, values: &[Values], rows: usize) -> Result<()> {
    let mut group = writer.file.next_row_group()?;
    for (kind, values) in writer.kinds.iter().zip(values) {
        let Some(mut column) = group.next_column()? else { break };
        match *kind {
            TEXT => column.typed::<ByteArrayType>().write_batch(&texts(values, rows), None, None)?,
            BOOL => {
                let numbers = std::slice::from_raw_parts(values.numbers, rows);
                let truths: Vec<bool> = numbers.iter().map(|&number| number != 0).collect();
                column.typed::<BoolType>().write_batch(&truths, None, None)?
            }
            COUNT | TIME => {
                let numbers = std::slice::from_raw_parts(values.numbers, rows);
                column.typed::<Int64Type>().write_batch(numbers, None, None)?
            }
            _ => unreachable!("hubbub_parquet_open was given a kind that does not exist"),
        };
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// # Safety
/// As hubbub_parquet.h says.
#[no_mangle]
pub unsafe extern "C" fn hubbub_parquet_write(
    writer: *mut Writer,
    values: *const Values,
    rows: usize,
    error: *mut c_char,
    error_size: usize,
) -> bool {
    let writer = &mut *writer;
    let values = std::slice::from_raw_parts(values, writer.kinds.len());
    match write(writer, values, rows) {
        Ok(()) => true,
        Err(reason) => {
            tell(&reason.to_string(), error, error_size);
            false
        }
    }
}

/// # Safety
/// As hubbub_parquet.h says.
#[no_mangle]
pub unsafe extern "C" fn hubbub_parquet_close(
    writer: *mut Writer,
    finish: bool,
    error: *mut c_char,
    error_size: usize,
) -> bool {
    let mut writer = *Box::from_raw(writer);
    if !finish {
        // What is buffered is of no use to anybody, and the descriptor stays open.
        std::mem::forget(writer);
        return true;
    }
    let finished = writer.file.finish().map(|_| ()).and_then(|()| Ok(writer.file.inner_mut().flush()?));
    match finished {
        Ok(()) => true,
        Err(reason) => {
            tell(&reason.to_string(), error, error_size);
            // The buffer would be written again when it is dropped.
            std::mem::forget(writer);
            false
        }
    }
}
