//! How fast an image is unpacked, and with what: `cargo bench --bench decode -- IMAGE.img.xz`. Nothing is written.

use std::io::Read;
use std::time::Instant;

use sd_swap::domain::size::MIB;
use sd_swap::host::power;
use sd_swap::image::blocks::BlockReader;
use sd_swap::image::file::ImageFile;

fn main() {
    // Cargo adds flags of its own.
    let path = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let file = ImageFile::inspect(path.expect("the image's path")).expect("an image");
    let mut one = file.open().expect("opening the image");
    time("one stream", || drain(&mut one));
    let memory = power::spare_memory().unwrap_or_default();
    let Some(plan) = file.block_plan() else { return println!("it has no blocks to share") };
    let workers = plan.workers(power::cores(), memory);
    let (blocks, _) = file.open_blocks(plan).expect("opening the image");
    time(&format!("{workers} workers"), || {
        std::thread::scope(|scope| {
            let work = || {
                let (mut reader, mut bytes) = (BlockReader::new(&blocks), 0);
                while let Some((_, length)) = reader.next_block().expect("a block") {
                    let read = drain(&mut (&mut reader).take(length));
                    assert_eq!(read, length);
                    bytes += read;
                }
                bytes
            };
            let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            all.into_iter().map(|worker| worker.join().expect("a worker")).sum()
        })
    });
}

fn drain(from: &mut impl Read) -> u64 {
    let (mut buffer, mut bytes) = (vec![0; MIB as usize], 0);
    loop {
        match from.read(&mut buffer).expect("reading the image") {
            0 => return bytes,
            read => bytes += read as u64,
        }
    }
}

fn time(what: &str, work: impl FnOnce() -> u64) {
    let begun = Instant::now();
    let bytes = work();
    println!("{what}: {:.2} s, {bytes} bytes", begun.elapsed().as_secs_f64());
}
