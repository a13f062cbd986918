//! What this process may use: processors and memory, from what the system and the scheduler grant it, never from the whole node.

use std::fs;
use std::path::{Path, PathBuf};

use ome_zarr_convert_core::options::ConverterOptions;

/// The number of threads to use: what was asked for, else the processors that this process may use (affinity and cgroup quota),
/// bounded by what SLURM gave the task. A number of workers in the options bounds both.
pub fn thread_count(asked: Option<usize>, options: &ConverterOptions) -> usize {
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let slurm = std::env::var("SLURM_CPUS_PER_TASK").ok();
    let slurm = slurm.and_then(|text| text.trim().parse::<usize>().ok());
    let own = slurm.map_or(available, |slurm| slurm.min(available));
    let count = asked.unwrap_or(own);
    let workers = options.runtime_settings.dask_scheduler.max_workers();
    workers.map_or(count, |workers| count.min(workers)).max(1)
}

/// Bytes of memory that this process may take: the smallest limit of its cgroup and those above it, else four fifths of the
/// machine's memory. `None` where the system does not tell.
pub fn default_memory_limit() -> Option<u64> {
    let of_machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024 / 5 * 4)
    });
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_groups = cgroup_folders(&groups)
        .into_iter()
        .filter_map(|(root, below)| smallest_limit(&root, &below))
        .min();
    // A limit that is enforced is left some air: the allocator and the kernel take their share.
    let of_groups = of_groups.map(|limit| limit / 10 * 9);
    match (of_machine, of_groups) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Files that this process may have open: asks for as many as the system grants it without privileges.
#[cfg(unix)]
pub fn open_file_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const PLENTY: u64 = 65_536;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(PLENTY).min(PLENTY);
    let current = limit.current.unwrap_or(PLENTY);
    let raised = Rlimit {
        current: Some(most),
        maximum: limit.maximum,
    };
    let granted = match most > current && setrlimit(Resource::Nofile, raised).is_ok() {
        true => most,
        false => current,
    };
    usize::try_from(granted).ok()
}

/// Files that this process may have open; not known here.
#[cfg(not(unix))]
pub fn open_file_limit() -> Option<usize> {
    None
}

/// How many image files may stay open, so that half of all is left for those that are read and written.
pub fn default_open_sources() -> Option<usize> {
    open_file_limit().map(|limit| limit / 2)
}

/// Where the memory limits of this process lie: the mount and the group's path below it, for version 2 and version 1.
fn cgroup_folders(text: &str) -> Vec<(PathBuf, PathBuf)> {
    let folder = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let root = match controllers {
            "" => "/sys/fs/cgroup",
            list if list.split(',').any(|name| name == "memory") => "/sys/fs/cgroup/memory",
            _ => return None,
        };
        Some((PathBuf::from(root), PathBuf::from(path.trim_start_matches('/'))))
    };
    text.lines().filter_map(folder).collect()
}

/// The smallest limit of a group and those above it: SLURM sets it on a parent, while the task's own group says unlimited.
fn smallest_limit(root: &Path, below: &Path) -> Option<u64> {
    let limits = below.ancestors().flat_map(|group| {
        ["memory.max", "memory.limit_in_bytes"].map(|name| {
            let text = fs::read_to_string(root.join(group).join(name)).ok()?;
            // Version 1 says "unlimited" as a number close to 2^63.
            text.trim().parse::<u64>().ok().filter(|limit| *limit < 1 << 60)
        })
    });
    limits.flatten().min()
}

/// A number of bytes as people write it: `1500000`, `500M`, `4G`, `1.5GiB`. Units without `i` are decimal.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let factor: f64 = match unit.trim_end_matches('b') {
        "" => 1.0,
        "k" => 1e3,
        "m" => 1e6,
        "g" => 1e9,
        "t" => 1e12,
        "ki" => 1024.0,
        "mi" => 1_048_576.0,
        "gi" => 1_073_741_824.0,
        "ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    let bytes = number * factor;
    (1.0..1e18).contains(&bytes).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        let read = ["1500000", "500M", "4GB", "1.5GiB", "2 ki"].map(parse_bytes);
        assert_eq!(
            read,
            [1_500_000, 500_000_000, 4_000_000_000, 1_610_612_736, 2048].map(Some)
        );
        assert_eq!(["", "M", "5X", "-1", "0"].map(parse_bytes), [None; 5]);
    }

    #[test]
    fn the_smallest_limit_on_the_way_up_counts() {
        let dir = tempfile::tempdir().unwrap();
        let write = |folder: &str, name: &str, text: &str| {
            let folder = dir.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            std::io::Write::write_all(&mut fs::File::create(folder.join(name)).unwrap(), text.as_bytes()).unwrap();
        };
        write("job/step/task", "memory.max", "max\n");
        write("job/step", "memory.max", "4000000\n");
        write("job", "memory.max", "9000000\n");
        assert_eq!(smallest_limit(dir.path(), Path::new("job/step/task")), Some(4_000_000));
        write("old/task", "memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(smallest_limit(dir.path(), Path::new("old/task")), None);
        assert_eq!(
            cgroup_folders("12:cpuset:/x\n4:memory:/job/step\n0::/user\n"),
            [("/sys/fs/cgroup/memory", "job/step"), ("/sys/fs/cgroup", "user")].map(|(a, b)| (a.into(), b.into()))
        );
    }
}
