//! Which images of a conversion are converted at the same time, with how many threads and how much memory each: data, which a plan prints
//! and a conversion carries out.

/// Images of fewer bytes than this are converted side by side, one thread each.
const SMALL_IMAGE_BYTES: u64 = 256 << 20;

/// How the images of a conversion are run. The output is the same whichever is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunnerKind {
    /// Small images side by side if there are enough of them, then the others one after the other.
    #[default]
    BySize,
    /// One image after the other, each on all threads: a few large images.
    Sequential,
    /// Images side by side, each on one thread: many small images.
    Threads,
    /// A process per image, some at a time: an image that brings its process down leaves the others alone.
    Processes,
}

/// Images that are converted in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Their numbers, in order.
    pub images: Vec<usize>,
    /// How many are converted at a time.
    pub at_once: usize,
    /// Threads of each.
    pub threads: usize,
    /// Memory that each may take, with what its process takes besides.
    pub memory_limit: Option<u64>,
    /// Whether each has a process of its own.
    pub in_processes: bool,
}

/// What all images share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Number of threads.
    pub threads: usize,
    /// Bytes of memory that the whole conversion may take.
    pub memory_limit: Option<u64>,
}

/// Divides images into groups, which are converted one after the other. `pixel_bytes` are those of each image; 0 where nothing is to do.
pub fn schedule(kind: RunnerKind, pixel_bytes: &[u64], all: Resources) -> Vec<Group> {
    let every = || (0..pixel_bytes.len()).collect::<Vec<_>>();
    let groups = match kind {
        RunnerKind::Sequential => vec![alone(every(), all)],
        RunnerKind::Threads => vec![side_by_side(every(), all)],
        RunnerKind::Processes => vec![in_processes(every(), all)],
        RunnerKind::BySize => {
            let (small, large) = (0..pixel_bytes.len()).partition(|index| pixel_bytes[*index] < SMALL_IMAGE_BYTES);
            let small: Vec<usize> = small;
            let share = all.memory_limit.map(|limit| limit / all.threads.max(1) as u64);
            let roomy = share.is_none_or(|share| share > 4 * SMALL_IMAGE_BYTES);
            // Fewer than there are threads are faster one after the other.
            let small = if roomy && small.len() >= all.threads {
                side_by_side(small, all)
            } else {
                alone(small, all)
            };
            vec![small, alone(large, all)]
        }
    };
    groups.into_iter().filter(|group| !group.images.is_empty()).collect()
}

/// One after the other, each with everything.
pub(crate) fn alone(images: Vec<usize>, all: Resources) -> Group {
    Group {
        images,
        at_once: 1,
        threads: all.threads,
        memory_limit: all.memory_limit,
        in_processes: false,
    }
}

fn side_by_side(images: Vec<usize>, all: Resources) -> Group {
    let at_once = all.threads.min(images.len()).max(1);
    if at_once < 2 {
        return alone(images, all);
    }
    Group {
        images,
        at_once,
        threads: 1,
        memory_limit: all.memory_limit.map(|limit| limit / at_once as u64),
        in_processes: false,
    }
}

fn in_processes(images: Vec<usize>, all: Resources) -> Group {
    let at_once = all.threads.min(images.len()).max(1);
    Group {
        images,
        at_once,
        threads: (all.threads / at_once).max(1),
        memory_limit: all.memory_limit.map(|limit| limit / at_once as u64),
        in_processes: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn groups(kind: RunnerKind, pixel_bytes: &[u64], threads: usize, memory_limit: Option<u64>) -> Vec<String> {
        let groups = schedule(kind, pixel_bytes, Resources { threads, memory_limit });
        let text = |group: Group| {
            let limit = group
                .memory_limit
                .map_or("all".to_owned(), |limit| (limit / GIB).to_string());
            format!(
                "{:?}: {} at once, {} threads, {limit} GiB",
                group.images, group.at_once, group.threads
            )
        };
        groups.into_iter().map(text).collect()
    }

    #[test]
    fn small_images_go_side_by_side_where_there_is_room() {
        let sizes = [1, 2 * GIB, 1, 1];
        assert_eq!(
            groups(RunnerKind::BySize, &sizes, 2, None),
            [
                "[0, 2, 3]: 2 at once, 1 threads, all GiB",
                "[1]: 1 at once, 2 threads, all GiB"
            ]
        );
        assert_eq!(
            groups(RunnerKind::BySize, &sizes, 2, Some(GIB)),
            [
                "[0, 2, 3]: 1 at once, 2 threads, 1 GiB",
                "[1]: 1 at once, 2 threads, 1 GiB"
            ]
        );
        assert_eq!(
            groups(RunnerKind::BySize, &[1], 4, None),
            ["[0]: 1 at once, 4 threads, all GiB"]
        );
        assert!(groups(RunnerKind::BySize, &[], 4, None).is_empty());
    }

    #[test]
    fn processes_share_what_there_is() {
        let group = |images: usize, threads| groups(RunnerKind::Processes, &vec![1; images], threads, Some(12 * GIB));
        assert_eq!(group(2, 5), ["[0, 1]: 2 at once, 2 threads, 6 GiB"]);
        assert_eq!(group(4, 3), ["[0, 1, 2, 3]: 3 at once, 1 threads, 4 GiB"]);
    }
}
