//! A small ext4 file system of its own, whose power can be cut.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sparse: only what is written takes room.
const IMAGE_LEN: u64 = 2 << 30;

/// A loop-mounted image. Journal commits are ten minutes apart, so that nothing becomes durable by itself.
pub(crate) struct Disk {
    dir: PathBuf,
}

impl Disk {
    /// Makes and mounts the file system, or says why this machine cannot.
    pub(crate) fn new() -> Result<Self, String> {
        let dir = std::env::temp_dir().join(format!("kring-powercut-{}", std::process::id()));
        let disk = Self { dir };
        fs::create_dir_all(disk.mountpoint()).map_err(|error| error.to_string())?;
        let image = File::create(disk.image()).and_then(|file| file.set_len(IMAGE_LEN));
        image.map_err(|error| error.to_string())?;
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), disk.image().as_ref()])?;
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn mountpoint(&self) -> PathBuf {
        self.dir.join("mounted")
    }

    /// Where the child writes its last words, beside the file system.
    pub(crate) fn error_file(&self) -> File {
        File::create(self.dir.join("errors")).unwrap()
    }

    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(self.dir.join("errors")).unwrap()
    }

    fn image(&self) -> PathBuf {
        self.dir.join("image")
    }

    fn mount(&self) -> Result<(), String> {
        let options = ["-t", "ext4", "-o", "loop,commit=600"].map(Path::new);
        run("mount", &[&options[..], &[&self.image(), &self.mountpoint()]].concat())
    }

    fn unmount(&self) -> Result<(), String> {
        run("umount", &[&self.mountpoint()])
    }

    /// Stops the file system at once: what is in the page cache and the running journal transaction is gone.
    pub(crate) fn cut(&self) -> io::Result<()> {
        shutdown(&File::open(self.mountpoint())?)
    }

    /// Mounts again after a [`Disk::cut`], replaying the journal. Nobody may use the file system any more.
    pub(crate) fn restore(&self) {
        self.unmount().unwrap();
        self.mount().unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.unmount();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn run(program: &str, arguments: &[&Path]) -> Result<(), String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

#[allow(unsafe_code, reason = "there is no other way to ask the kernel; the argument outlives the call")]
fn shutdown(file: &File) -> io::Result<()> {
    const EXT4_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
    const WITHOUT_WRITING_THE_JOURNAL: u32 = 2;
    let how = WITHOUT_WRITING_THE_JOURNAL;
    // SAFETY: an open descriptor, and a pointer to a u32, as this request takes.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), EXT4_IOC_SHUTDOWN, &raw const how) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
