//! The driver's session, its threads, and what is under way.
//!
//! Requests are tasks of the runtime. How many there may be, and of how many bytes, is settled by the caller's thread
//! before it starts one: so what waits to be sent is bounded, and whoever writes too fast is slowed down.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslVerifyMode};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{Session, TlsContext};
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::Consistency;
use tokio::runtime::{Builder, Runtime};

use crate::pages::Answer;
use crate::rows::Rows;

const PAGE_ROWS: i32 = 2000;
const THREADS: usize = 1;

// X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of openssl/x509_vfy.h
const HOST_NAME_MISMATCH: i32 = 62;
const ADDRESS_MISMATCH: i32 = 64;

/// As hubbub_cql_options; empty: none.
pub struct Options {
    pub hosts: String,
    pub user: String,
    pub password: String,
    pub tls: bool,
    pub authorities: String,
    pub certificate: String,
    pub key: String,
    pub any_host_name: bool,
    pub consistency: String,
    pub datacenter: String,
    pub connect: Duration,
    pub request: Duration,
    pub requests: usize,
    pub bytes: usize,
}

#[derive(Default)]
struct Traffic {
    requests: usize,
    bytes: usize,
    error: Option<String>,
}

struct UnderWay {
    traffic: Mutex<Traffic>,
    news: Condvar,
}

pub struct Connection {
    pub rows: Rows,
    session: Arc<Session>,
    statements: Vec<PreparedStatement>,
    under_way: Arc<UnderWay>,
    requests: usize,
    bytes: usize,
    runtime: Runtime,
}

/// An error and what it comes from, as one sentence.
pub fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_string()
}

fn consistency_of(name: &str) -> Result<Consistency, String> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "any" => Consistency::Any,
        "one" => Consistency::One,
        "two" => Consistency::Two,
        "three" => Consistency::Three,
        "quorum" => Consistency::Quorum,
        "all" => Consistency::All,
        "" | "local_quorum" => Consistency::LocalQuorum,
        "each_quorum" => Consistency::EachQuorum,
        "local_one" => Consistency::LocalOne,
        _ => return Err(format!("'{name}' is no consistency, as LOCAL_QUORUM or ONE is")),
    })
}

fn tls_of(options: &Options) -> Result<Option<TlsContext>, String> {
    if !options.tls {
        return Ok(None);
    }
    let told = |what: &str, file: &str, error: &dyn Error| format!("{what} {file}: {}", sentence(error));
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(|error| sentence(&error))?;
    if !options.authorities.is_empty() {
        builder
            .set_ca_file(&options.authorities)
            .map_err(|error| told("cannot read the authorities in", &options.authorities, &error))?;
    }
    if !options.certificate.is_empty() {
        builder
            .set_certificate_chain_file(&options.certificate)
            .map_err(|error| told("cannot read the certificate", &options.certificate, &error))?;
        let key = if options.key.is_empty() { &options.certificate } else { &options.key };
        builder
            .set_private_key_file(key, SslFiletype::PEM)
            .map_err(|error| told("cannot read the key", key, &error))?;
    }
    // The driver has OpenSSL compare the certificate with the address of the node.
    let any_host_name = options.any_host_name;
    builder.set_verify_callback(SslVerifyMode::PEER, move |good, chain| {
        good || any_host_name && [HOST_NAME_MISMATCH, ADDRESS_MISMATCH].contains(&chain.error().as_raw())
    });
    Ok(Some(TlsContext::from(builder)))
}

/// What the options ask for, without trying it.
pub fn plan(options: &Options) -> Result<SessionBuilder, String> {
    let mut balancing = DefaultPolicy::builder().token_aware(true).permit_dc_failover(true);
    if !options.datacenter.is_empty() {
        balancing = balancing.prefer_datacenter(options.datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(consistency_of(&options.consistency)?)
        .request_timeout(Some(options.request))
        .load_balancing_policy(balancing.build())
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(options.hosts.split(','))
        .connection_timeout(options.connect)
        .schema_agreement_timeout(options.request)
        .default_execution_profile_handle(profile.into_handle())
        .tls_context(tls_of(options)?);
    if !options.user.is_empty() {
        builder = builder.user(options.user.clone(), options.password.clone());
    }
    Ok(builder)
}

async fn connect(builder: SessionBuilder) -> Result<Session, String> {
    builder.build().await.map_err(|error| {
        let text = sentence(&error);
        // The driver tells what its own functions are called.
        match text.split_once("Authentication is required") {
            Some(_) => "it wants a user name and a password".to_string(),
            None => text,
        }
    })
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request's share of what is under way; given back when it is dropped, however its task ends.
struct Share {
    under_way: Arc<UnderWay>,
    bytes: usize,
    done: bool,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut traffic = self.under_way.lock();
        traffic.requests -= 1;
        traffic.bytes -= self.bytes;
        if !self.done && traffic.error.is_none() {
            traffic.error = Some("a request was given up".to_string());
        }
        self.under_way.news.notify_all();
    }
}

impl Connection {
    pub fn open(plan: SessionBuilder, options: &Options) -> Result<Connection, String> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("hubbub-cql")
            .enable_all()
            .build()
            .map_err(|error| sentence(&error))?;
        let session = runtime.block_on(connect(plan))?;
        Ok(Connection {
            rows: Rows::default(),
            session: Arc::new(session),
            statements: Vec::new(),
            under_way: Arc::new(UnderWay { traffic: Mutex::default(), news: Condvar::new() }),
            requests: options.requests.max(1),
            bytes: options.bytes,
            runtime,
        })
    }

    pub fn close(self) {
        let Connection { session, runtime, .. } = self;
        runtime.block_on(async { drop(session) });
        runtime.shutdown_background();
    }

    pub fn run(&self, text: &str) -> Result<(), String> {
        let done = self.runtime.block_on(self.session.query_unpaged(text, ()));
        done.map(|_| ()).map_err(|error| sentence(&error))
    }

    pub fn use_keyspace(&self, keyspace: &str) -> Result<(), String> {
        self.runtime.block_on(self.session.use_keyspace(keyspace, true)).map_err(|error| sentence(&error))
    }

    pub fn prepare(&mut self, text: &str) -> Result<usize, String> {
        let mut statement =
            self.runtime.block_on(self.session.prepare(text)).map_err(|error| sentence(&error))?;
        statement.set_is_idempotent(true);
        statement.set_page_size(PAGE_ROWS);
        self.statements.push(statement);
        Ok(self.statements.len() - 1)
    }

    /// Waits until there is room, and takes a share of it; None once a request has failed.
    fn enter(&self, bytes: usize) -> Option<Share> {
        let mut traffic = self.under_way.lock();
        while traffic.error.is_none()
            && traffic.requests > 0
            && (traffic.requests >= self.requests || traffic.bytes + bytes > self.bytes)
        {
            traffic = self.under_way.news.wait(traffic).unwrap_or_else(PoisonError::into_inner);
        }
        if traffic.error.is_some() {
            return None;
        }
        traffic.requests += 1;
        traffic.bytes += bytes;
        Some(Share { under_way: self.under_way.clone(), bytes, done: false })
    }

    pub fn send(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if rows.count() == 0 {
            return;
        }
        let Some(share) = self.enter(rows.held()) else { return };
        let session = self.session.clone();
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        for number in rows.statements() {
            batch.append_statement(BatchStatement::PreparedStatement(self.statements[number].clone()));
        }
        self.runtime.spawn(async move {
            let mut share = share;
            let sent = if let [BatchStatement::PreparedStatement(only)] = batch.statements.as_slice() {
                session.execute_unpaged(only, rows.row(0)).await
            } else {
                session.batch(&batch, &rows).await
            };
            if let Err(error) = sent {
                share.under_way.lock().error.get_or_insert_with(|| sentence(&error));
            }
            share.done = true;
        });
    }

    pub fn wait(&self) -> Result<(), String> {
        let mut traffic = self.under_way.lock();
        while traffic.requests > 0 {
            traffic = self.under_way.news.wait(traffic).unwrap_or_else(PoisonError::into_inner);
        }
        traffic.error.take().map_or(Ok(()), Err)
    }

    pub fn ask(&mut self) -> Answer {
        let rows = std::mem::take(&mut self.rows);
        let number = rows.statements().next().expect("hubbub_cql_ask was called with nothing in hand");
        Answer::open(&self.runtime, &self.session, &self.statements[number], rows)
    }
}
