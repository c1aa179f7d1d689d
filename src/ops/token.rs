//! The words that scripts grep for. One is printed only by the code that saw its fact.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `check`: every rule holds.
    StructureOk,
    /// `check`: and the project's own tests passed.
    WsReady,
    /// The first command on the host was answered.
    SshHaOk,
    /// `sync`: a second look finds nothing to copy, and the host has our version.
    CleanRuntimeOk,
    /// `rebuild`: the build ended, and the version in the store and the installed one are ours.
    DeployOk,
    /// `verify`: it runs, as the right version, and answers as it should.
    VerifyOk,
    /// `verify`: one folder, no `.git`, the Supervisor lists the slug once, as a local app.
    RuntimeTopologyOk,
    /// A whole `deploy` by SSH.
    DeploySshOk,
    /// `publish`: the push was accepted.
    SubtreePublishOk,
}

impl Token {
    /// In the order in which a `release` by SSH prints them.
    pub const ALL: [Token; 9] = [
        Token::StructureOk,
        Token::WsReady,
        Token::SshHaOk,
        Token::CleanRuntimeOk,
        Token::DeployOk,
        Token::VerifyOk,
        Token::RuntimeTopologyOk,
        Token::DeploySshOk,
        Token::SubtreePublishOk,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Token::StructureOk => "STRUCTURE_OK",
            Token::WsReady => "WS_READY",
            Token::SshHaOk => "SSH_HA_OK",
            Token::CleanRuntimeOk => "CLEAN_RUNTIME_OK",
            Token::DeployOk => "DEPLOY_OK",
            Token::VerifyOk => "VERIFY_OK",
            Token::RuntimeTopologyOk => "RUNTIME_TOPOLOGY_OK",
            Token::DeploySshOk => "DEPLOY_SSH_OK",
            Token::SubtreePublishOk => "SUBTREE_PUBLISH_OK",
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
