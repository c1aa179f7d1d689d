//! What the machine has to spare for work that can be shared.

use std::fs;
use std::path::Path;
use std::thread;

use crate::domain::size::Bytes;

/// Processors that this process may use; 1 where nobody says.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Memory that can be had without anything being pushed out, as the kernel estimates it (`MemAvailable`), and no more
/// than what is left below our control group's limit. `None` where nobody says.
pub fn spare_memory() -> Option<Bytes> {
    let machine = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let group = Path::new("/sys/fs/cgroup");
    let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
    let left = number("memory.max").map(|most| most.saturating_sub(number("memory.current").unwrap_or(0)));
    Some(Bytes(left.map_or(machine, |left| left.min(machine))))
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_estimate_is_read() {
        let text = "MemTotal:         947 kB\nMemFree:  12 kB\nMemAvailable:     524288 kB\nBuffers: 1 kB\n";
        assert_eq!(available(text), Some(512 << 20));
        for odd in ["", "MemAvailable:", "MemAvailable: x kB", "MemAvailable: 99999999999999999999 kB"] {
            assert_eq!(available(odd), None, "{odd}");
        }
        assert!(cores() >= 1);
        assert!(spare_memory().is_none_or(|memory| memory.0 > 0));
    }
}
