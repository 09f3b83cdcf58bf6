//! Measures a ledger on a disk, and lets it be killed: for `bench/ledger/run`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a program that measures, for people"
)]

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bartizan_ledger::{Folder, GroupCommit, Ledger, Reader, Signer, Storage, Trust, verify};

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn signer() -> Signer {
    Signer::new("example.com/bench", &[1; 32]).unwrap()
}

fn trust() -> Trust {
    Trust {
        ledger: signer().verifier(),
        witnesses: Vec::new(),
    }
}

/// An entry of so many bytes that says which it is.
fn entry(writer: u64, number: u64, bytes: usize) -> Vec<u8> {
    let mut entry = format!("{{\"writer\":{writer},\"number\":{number},\"pad\":\"").into_bytes();
    entry.resize(bytes.saturating_sub(2).max(entry.len()), b'.');
    entry.extend_from_slice(b"\"}");
    entry
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize| arguments[place].parse::<u64>().unwrap();
    let folder = Path::new(&arguments[1]);
    match arguments[0].as_str() {
        "append" => append(folder, number(2), number(3), number(4) as usize),
        "grow" => grow(folder, number(2), number(3) as usize),
        "verify" => whole(folder),
        "prove" => prove(folder, number(2)),
        "endless" => endless(folder),
        "check" => check(folder, number(2)),
        other => println!("no such measurement: {other}"),
    }
}

/// Appends `count` entries of `bytes` from `writers` threads, each of which waits for the disk
/// before the next.
fn append(folder: &Path, count: u64, writers: u64, bytes: usize) {
    let files: Arc<dyn Storage> = Arc::new(Folder::exclusive(folder).unwrap());
    let (ledger, _) = Ledger::open(files, signer()).unwrap();
    let group = GroupCommit::new(ledger, 8 << 20);
    let (started, cpu) = (Instant::now(), process_seconds());
    let mut waits: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let group = &group;
                scope.spawn(move || {
                    (0..count / writers)
                        .map(|number| {
                            let entry = entry(writer, number, bytes);
                            let started = Instant::now();
                            group.append(vec![entry]).unwrap();
                            started.elapsed().as_secs_f64() * 1e3
                        })
                        .collect::<Vec<f64>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), process_seconds() - cpu);
    waits.sort_by(f64::total_cmp);
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
    println!(
        "{writers} writers, {bytes} bytes: {:.0} entries/s, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms; {:.1} us of processor time each",
        waits.len() as f64 / seconds,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        cpu * 1e6 / waits.len() as f64,
    );
    let mut ledger = group.close().unwrap();
    ledger.settle().unwrap().run().unwrap();
}

/// Grows a ledger to `size` entries of `bytes`, many at a time.
fn grow(folder: &Path, size: u64, bytes: usize) {
    let files: Arc<dyn Storage> = Arc::new(Folder::exclusive(folder).unwrap());
    let (mut ledger, _) = Ledger::open(files, signer()).unwrap();
    let (started, before) = (Instant::now(), ledger.size());
    while ledger.size() < size {
        let from = ledger.size();
        let to = size.min(from + 4096);
        let entries: Vec<Vec<u8>> = (from..to).map(|number| entry(0, number, bytes)).collect();
        ledger.append(&entries, None).unwrap();
        if ledger.unpublished_bytes() > 1 << 20 {
            ledger.publish().unwrap();
        }
        if let Some(settle) = ledger.rotate().unwrap() {
            settle.run().unwrap();
        }
    }
    ledger.settle().unwrap().run().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "grown to {size} entries of {bytes} bytes: {:.0} entries/s, in commits of 4096",
        (size - before) as f64 / seconds
    );
}

/// Nanoseconds that this thread ran (Linux, `Documentation/scheduler/sched-stats.rst`).
fn cpu_seconds() -> f64 {
    let line = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = line.split_whitespace().next().and_then(|n| n.parse().ok());
    nanos.unwrap_or(0.0) / 1e9
}

/// Seconds that all threads ran, to 10 ms (proc(5): fields 14 and 15 in ticks).
fn process_seconds() -> f64 {
    let line = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = line.rsplit(") ").next().unwrap_or_default().split(' ');
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn whole(folder: &Path) {
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let outcome = verify(&Folder::shared(folder), &trust(), &[], false).unwrap();
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!(
        "verified {} entries, damage {:?}: {:.0} entries/s of one core, {:.0} entries/s by the wall",
        outcome.entries,
        outcome.damage,
        outcome.entries as f64 / cpu,
        outcome.entries as f64 / seconds,
    );
}

fn prove(folder: &Path, count: u64) {
    let files = Folder::shared(folder);
    let size = Reader::newest(&files, &trust()).unwrap().0.size();
    let (mut index, cpu) = (1, cpu_seconds());
    let mut times: Vec<f64> = (0..count)
        .map(|_| {
            index = (index * 6_364_136_223_846_793_005_u128 + 1) % u128::from(size);
            let index = index as u64;
            let started = Instant::now();
            // From the checkpoint on: nothing is kept from one proof to the next.
            let (reader, signed) = Reader::newest(&files, &trust()).unwrap();
            let (proof, entry) = reader.prove(index, &signed).unwrap();
            let proved = started.elapsed().as_secs_f64() * 1e3;
            proof.verify(&entry, &trust()).unwrap();
            proved
        })
        .collect();
    let cpu = (cpu_seconds() - cpu) * 1e3 / count as f64;
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{count} proofs in {size} entries: p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms; {cpu:.3} ms of processor time each, with verifying it",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Appends until it is killed, from 8 threads; prints how many entries are acknowledged, after they
/// are.
fn endless(folder: &Path) {
    let files: Arc<dyn Storage> = Arc::new(Folder::exclusive(folder).unwrap());
    let (ledger, _) = Ledger::open(files, signer()).unwrap();
    let acknowledged = AtomicU64::new(ledger.size());
    let group = GroupCommit::new(ledger, 1 << 20);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (group, acknowledged) = (&group, &acknowledged);
            scope.spawn(move || {
                for number in 0.. {
                    group.append(vec![entry(writer, number, 1024)]).unwrap();
                    let count = acknowledged.fetch_add(1, Ordering::Relaxed) + 1;
                    if writer == 0 {
                        let mut out = std::io::stdout().lock();
                        let _ = writeln!(out, "{count}").and_then(|()| out.flush());
                    }
                }
            });
        }
    });
}

/// That at least so many entries are there, and nothing is wrong, after the next start.
fn check(folder: &Path, least: u64) {
    let files = Arc::new(Folder::exclusive(folder).unwrap());
    let (ledger, opened) = Ledger::open(files.clone(), signer()).unwrap();
    let size = ledger.size();
    drop(ledger);
    let outcome = verify(&*files, &trust(), &[], false).unwrap();
    let good = size >= least && outcome.damage.is_none() && outcome.entries == size;
    println!(
        "{} acknowledged {least} kept {size} torn {}",
        if good { "ok" } else { "LOST" },
        opened.torn_bytes
    );
    if !good {
        std::process::abort();
    }
}
