/// Keeps the memory of this process, in which secrets lie, out of core dumps and away from
/// debuggers of the same user. Called once at the start; what the system refuses is not an error,
/// since a container may have forbidden it already. Whether all of it was done.
pub fn keep_memory_private() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let dumps = rustix::process::setrlimit(Resource::Core, none);
        let traces = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
        dumps.is_ok() && traces.is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn no_core_dump_is_left() {
        assert!(keep_memory_private());
        let limits = std::fs::read_to_string("/proc/self/limits");
        // A process that may not be dumped may not even read its own limits without rights.
        if let Ok(limits) = limits {
            let core = limits
                .lines()
                .find(|line| line.starts_with("Max core file size"));
            let numbers: Vec<&str> = core.unwrap().split_whitespace().skip(4).take(2).collect();
            assert_eq!(numbers, ["0", "0"]);
        }
        let behaviour = rustix::process::dumpable_behavior().unwrap();
        assert_eq!(behaviour, rustix::process::DumpableBehavior::NotDumpable);
    }
}
