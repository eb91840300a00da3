//! Chat counted the way one writes it in Rust without much ado: one thread, lines through a buffer, the crate tmi for
//! parsing, hash maps with a fast hash, a key copied only when it is new. See bench/run for the job and its output.
//!
//! plain-count LINES OUT

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use tmi::{Command, IrcMessageRef};

const TOP: usize = 100;

type Map<K, V> = HashMap<K, V, FxBuildHasher>;

#[derive(Default)]
struct Minute {
    messages: u64,
    users: HashSet<u64, FxBuildHasher>,
}

#[derive(Default)]
struct Channel {
    minutes: Map<u64, Minute>,
    users: Map<u64, u64>,
    words: Map<String, u64>,
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn count(channels: &mut Map<String, Channel>, line: &str) {
    let Some(message) = IrcMessageRef::parse(line) else { return };
    if message.command() != Command::Privmsg {
        return;
    }
    let (mut room, mut source, mut time, mut user) = ("", "", "", "");
    for (key, value) in message.tags() {
        match key {
            "room-id" => room = value,
            "source-room-id" => source = value,
            "tmi-sent-ts" => time = value,
            "user-id" => user = value,
            _ => {}
        }
    }
    let (Some(name), Some(text)) = (message.channel(), message.text()) else { return };
    if !source.is_empty() && source != room {
        return; // a copy that Shared Chat shows in another channel
    }
    let user = number(user);
    let channel = channels.entry_ref(name.trim_start_matches('#')).or_default();
    let minute = channel.minutes.entry(number(time) / 60_000 * 60).or_default();
    minute.messages += 1;
    minute.users.insert(user);
    *channel.users.entry(user).or_default() += 1;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        *channel.words.entry_ref(word).or_default() += 1;
    }
}

/// The most frequent ones; of equally frequent ones those first whose spelling is.
fn top<T>(counts: &Map<T, u64>, spelling: impl Fn(&T) -> String) -> Vec<(String, u64)> {
    let mut all: Vec<(&T, u64)> = counts.iter().map(|(key, count)| (key, *count)).collect();
    let least = if all.len() > TOP { all.select_nth_unstable_by(TOP - 1, |a, b| b.1.cmp(&a.1)).1 .1 } else { 0 };
    let mut best: Vec<(String, u64)> =
        all.into_iter().filter(|each| each.1 >= least).map(|(key, count)| (spelling(key), count)).collect();
    best.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    best.truncate(TOP);
    best
}

fn write(channels: &Map<String, Channel>, folder: &str) -> io::Result<()> {
    let open = |name| File::create(format!("{folder}/{name}.tsv")).map(BufWriter::new);
    let (mut minutes, mut users, mut words) = (open("minutes")?, open("users")?, open("words")?);
    for (name, channel) in channels {
        for (time, minute) in &channel.minutes {
            writeln!(minutes, "{name}\t{time}\t{}\t{}", minute.messages, minute.users.len())?;
        }
        for (user, count) in top(&channel.users, u64::to_string) {
            writeln!(users, "{name}\t{user}\t{count}")?;
        }
        for (word, count) in top(&channel.words, |word| word.to_string()) {
            writeln!(words, "{name}\t{word}\t{count}")?;
        }
    }
    minutes.flush()?;
    users.flush()?;
    words.flush()
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, lines, out] = &arguments[..] else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "usage: plain-count LINES OUT"));
    };
    let mut input = BufReader::with_capacity(1 << 20, File::open(lines)?);
    let mut channels = Map::default();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        count(&mut channels, line.trim_end_matches(['\r', '\n']));
        line.clear();
    }
    write(&channels, out)
}
