#[path = "../../../../fuzz/src/laws/supply.rs"]
mod supply;
fn all(name: &str, law: fn(&[u8])) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/");
    let mut n = 0;
    let mut state = 88172645463325252_u64;
    for entry in std::fs::read_dir(format!("{root}{name}")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        law(&bytes);
        let start = std::time::Instant::now();
        while start.elapsed().as_secs() < 8 {
            let mut b = bytes.clone();
            for _ in 0..1 + state % 4 {
                state ^= state << 13; state ^= state >> 7; state ^= state << 17;
                let i = (state >> 8) as usize % b.len().max(1);
                match state % 4 {
                    0 => b[i] = (state >> 40) as u8,
                    1 => { b.remove(i); if b.is_empty() { b.push(0) } }
                    2 => { let j = (state >> 24) as usize % b.len(); let (x, y) = (i.min(j), i.max(j)); let part = b[x..y].to_vec(); b.splice(x..x, part); }
                    _ => b[i] ^= 1 << (state >> 33 & 7),
                }
                if b.len() > 20000 { b.truncate(20000) }
            }
            law(&b);
            n += 1;
        }
    }
    eprintln!("{name}: {n}");
}
#[test] fn bundle() { all("bundle", supply::bundle) }
#[test] fn lock() { all("lock", supply::lock) }
#[test] fn advisory() { all("advisory", supply::advisory) }
