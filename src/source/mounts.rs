//! Files that never change: the kubelet mounts a `subPath` once and does not update it.

use std::fs;
use std::path::Path;

/// Whether the file is a mount of its own, as that of a `subPath` is.
pub(super) fn is_mount(file: &Path) -> bool {
    let Ok(file) = fs::canonicalize(file) else { return false };
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    file.is_file() && has_mount_point(&mounts, &file)
}

/// Whether a table of mounts (proc_pid_mountinfo(5)) has this path: its fifth column, with blanks and backslashes in octal.
fn has_mount_point(mounts: &str, path: &Path) -> bool {
    let escaped = path.to_string_lossy().replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011");
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(escaped.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_mount_points_with_blanks_in_their_names() {
        let mounts = "36 35 98:0 / / rw - ext4 /dev/root rw\n\
            41 36 0:39 /volumes/a.yaml /policies/a.yaml ro,relatime - ext4 /dev/root rw\n\
            42 36 0:39 /b /policies/b\\040c.yaml ro - ext4 /dev/root rw\n";
        assert!(has_mount_point(mounts, Path::new("/policies/a.yaml")));
        assert!(has_mount_point(mounts, Path::new("/policies/b c.yaml")));
        assert!(
            !has_mount_point(mounts, Path::new("/policies/c.yaml"))
                && !has_mount_point(mounts, Path::new("/volumes/a.yaml"))
        );
        assert!(!is_mount(Path::new("/no/such/file")) && !is_mount(Path::new("/")));
    }
}
