//! A real OpenSSH server on loopback, with a key, a configuration and a HOME of its own; and the client's configuration
//! that leads to it by the name `house`.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the configuration of the client calls the host.
pub const NAME: &str = "house";

pub struct Sshd {
    child: Child,
    /// For `ssh -F`.
    pub config: PathBuf,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is done before the server starts, in a mount namespace that it is alone in.
pub type Mounts<'a> = Option<&'a str>;

impl Sshd {
    /// `bin` is on the PATH of every session; a login shell alone learns the Supervisor's token, as in the SSH apps.
    pub fn start(dir: &Path, bin: &Path, mounts: Mounts<'_>) -> Sshd {
        fs::create_dir_all(dir.join("home")).unwrap();
        // Where it starts as root it wants this one, which the package's service makes.
        let _ = fs::create_dir_all("/run/sshd");
        for name in ["host_key", "user_key"] {
            keygen(&dir.join(name));
        }
        fs::copy(dir.join("user_key.pub"), dir.join("authorized")).unwrap();
        let profile = format!("export PATH={}:$PATH\nexport SUPERVISOR_TOKEN=of-the-login-shell\n", bin.display());
        fs::write(dir.join("home/.bash_profile"), profile).unwrap();
        let port = free_port();
        fs::write(dir.join("sshd_config"), server(dir, bin, port)).unwrap();
        let key = fs::read_to_string(dir.join("host_key.pub")).unwrap();
        fs::write(dir.join("known"), format!("[127.0.0.1]:{port} {key}")).unwrap();
        let config = dir.join("ssh_config");
        fs::write(&config, client(dir, port)).unwrap();
        let child = start(dir, mounts);
        wait_for(port);
        Sshd { child, config }
    }

    /// Another host answers at the address.
    pub fn is_someone_else(&self) {
        let dir = self.config.parent().unwrap();
        keygen(&dir.join("other_key"));
        let known = fs::read_to_string(dir.join("known")).unwrap();
        let place = known.split(' ').next().unwrap();
        let key = fs::read_to_string(dir.join("other_key.pub")).unwrap();
        fs::write(dir.join("known"), format!("{place} {key}")).unwrap();
    }

    /// Whoever answers at the name never says a word.
    pub fn is_silent(&self) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.is_at(listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            let held: Vec<TcpStream> = listener.incoming().flatten().collect();
            drop(held);
        });
    }

    /// The name leads to another port.
    pub fn is_at(&self, port: u16) {
        fs::write(&self.config, client(self.config.parent().unwrap(), port)).unwrap();
    }
}

fn server(dir: &Path, bin: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {dir}/host_key\nPidFile none\nAuthorizedKeysFile {dir}/authorized\n\
         StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
         PrintMotd no\nPrintLastLog no\nUseDNS no\nMaxStartups 100\nLogLevel VERBOSE\n\
         SetEnv HOME={dir}/home PATH={}:/usr/sbin:/usr/bin:/sbin:/bin\n",
        bin.display()
    )
}

fn client(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "Host {NAME}\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {dir}/user_key\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {dir}/known\n  GlobalKnownHostsFile /dev/null\n  HostKeyAlgorithms ssh-ed25519\n  \
         StrictHostKeyChecking yes\n"
    )
}

fn start(dir: &Path, mounts: Mounts<'_>) -> Child {
    let sshd = "/usr/sbin/sshd";
    let config = dir.join("sshd_config");
    let mut command = match mounts {
        None => Command::new(sshd),
        Some(mounts) => {
            let mut command = Command::new("unshare");
            command.args(["--mount", "--", "sh", "-ec", &format!("{mounts}\nexec {sshd} \"$@\""), "sh"]);
            command
        }
    };
    let log = fs::File::create(dir.join("sshd.log")).unwrap();
    command.arg("-D").arg("-e").arg("-f").arg(config);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("starting sshd (openssh-server)")
}

fn keygen(file: &Path) {
    let file = file.to_str().unwrap();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file]).status();
    assert!(made.unwrap().success(), "making {file}");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "sshd does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
}
