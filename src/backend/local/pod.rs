//! Whether the data would be lost with the pod that the operator runs in.

use std::fs;
use std::path::{Path, PathBuf};

const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Why data in this folder does not outlive the pod; none where it does, or where this is no pod.
pub(super) fn loses(data_dir: &Path) -> Option<String> {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() && !Path::new(TOKEN).exists() {
        return None;
    }
    let existing = data_dir.ancestors().find(|folder| folder.exists()).unwrap_or(data_dir);
    let real: PathBuf = fs::canonicalize(existing).unwrap_or_else(|_| existing.to_path_buf());
    fleeting(&fs::read_to_string("/proc/self/mountinfo").ok()?, &real)
}

/// What of the mount that holds `folder` says that it goes with the pod. The format of `mountinfo` is that of proc(5).
fn fleeting(mountinfo: &str, folder: &Path) -> Option<String> {
    // Of mounts one above the other, the last one counts.
    let (root, point, kind) = mountinfo
        .lines()
        .filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let mut fields = before.split(' ').skip(3);
            Some((fields.next()?, fields.next()?.replace("\\040", " "), after.split(' ').next()?))
        })
        .filter(|(_, point, _)| folder.starts_with(point))
        .max_by_key(|(_, point, _)| point.len())?;
    if matches!(kind, "overlay" | "tmpfs" | "ramfs" | "aufs") {
        return Some(format!("it lies on {kind}, mounted at {point}"));
    }
    root.contains("/kubernetes.io~empty-dir/").then(|| format!("it lies on an emptyDir, mounted at {point}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const MOUNTS: &str = "\
520 410 0:92 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/var/lib/containerd\n\
522 520 0:96 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755\n\
530 520 259:1 /var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/data /scratch rw - ext4 /dev/root rw\n\
531 520 259:9 / /var/lib/postgres rw,relatime - ext4 /dev/nvme1n1 rw\n\
532 520 0:98 / /with\\040space rw - tmpfs tmpfs rw\n\
533 520 0:99 /exports/a /shared rw shared:7 master:2 - nfs4 10.0.0.1:/ rw\n";

    #[rstest]
    #[case("/var/lib/postgres/data", None)]
    #[case("/shared/data", None)]
    #[case("/var/lib/other", Some("overlay"))]
    #[case("/var/lib/postgresql", Some("overlay"))]
    #[case("/dev/shm", Some("tmpfs"))]
    #[case("/with space/data", Some("tmpfs"))]
    #[case("/scratch/data", Some("emptyDir"))]
    fn only_volumes_outlive_a_pod(#[case] folder: &str, #[case] said: Option<&str>) {
        let found = fleeting(MOUNTS, Path::new(folder));
        assert_eq!(found.is_some(), said.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().contains(said.unwrap_or_default()));
    }
}
