using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>The configuration of a test's Dovecot.</summary>
public sealed record DovecotOptions
{
    /// <summary>
    /// The password of all users. Its quote and backslash test the client's quoting. It has no blank or %, which the configuration would
    /// interpret.
    /// </summary>
    public string Password { get; init; } = "horse\"battery\\staple";

    /// <summary>The capabilities to announce instead of Dovecot's own; null for Dovecot's own.</summary>
    public string? Capability { get; init; }

    /// <summary>Plug-ins of the IMAP service, such as <c>imap_zlib</c> for COMPRESS or <c>quota imap_quota</c> for QUOTA.</summary>
    public string Plugins { get; init; } = "";

    /// <summary>A Maildir tree to serve as every user's mail; null for a separate tree for each user.</summary>
    public string? Maildir { get; init; }

    /// <summary>The SASL mechanisms to offer.</summary>
    public string Mechanisms { get; init; } = "plain login cram-md5 scram-sha-256";

    /// <summary>A <c>passdb</c> section that lists who may log in; null to accept every user with <see cref="Password"/>.</summary>
    public string? Accounts { get; init; }

    /// <summary>Whether to serve POP3 as well.</summary>
    public bool Pop3 { get; init; }

    /// <summary>Additional lines for dovecot.conf.</summary>
    public string Extra { get; init; } = "";
}

/// <summary>Writes dovecot.conf for a private server that is independent of the machine's own configuration.</summary>
internal static class DovecotConfiguration
{
    public static string Text(DovecotServer server, DovecotOptions options, string user, string group)
    {
        var root = server.Directory;
        var text = new StringBuilder();
        text.Append($$"""
            base_dir = {{root}}/run
            state_dir = {{root}}/state
            log_path = {{server.LogFile}}
            listen = 127.0.0.1
            protocols = imap{{(options.Pop3 ? " pop3" : "")}}
            ssl = yes
            ssl_cert = <{{server.Authority.CertificateFile}}
            ssl_key = <{{server.Authority.KeyFile}}
            disable_plaintext_auth = no
            auth_mechanisms = {{options.Mechanisms}}
            mail_location = maildir:{{options.Maildir ?? root + "/mail/%u"}}
            first_valid_uid = 1
            mail_max_userip_connections = 100
            mailbox_list_index = yes
            # A test kills clients all the time: no waiting for them, no punishing of the next one.
            auth_failure_delay = 0
            namespace inbox {
              inbox = yes
              separator = /
              mailbox Drafts {
                special_use = \Drafts
              }
              mailbox Sent {
                special_use = \Sent
              }
              mailbox Trash {
                special_use = \Trash
              }
            }
            {{options.Accounts ?? $"passdb {{\n  driver = static\n  args = password={options.Password}\n}}"}}
            userdb {
              driver = static
              args = uid={{user}} gid={{group}} home={{root}}/home/%u
            }
            service imap-login {
              service_count = 0
              inet_listener imap {
                port = {{server.Port}}
              }
              inet_listener imaps {
                port = {{server.TlsPort}}
                ssl = yes
              }
            }
            service anvil {
              unix_listener anvil-auth-penalty {
                mode = 0
              }
            }
            service stats {
              unix_listener stats-writer {
                mode = 0666
              }
            }
            protocol imap {
              mail_plugins = {{options.Plugins}}
              {{(options.Capability is null ? "" : "imap_capability = " + options.Capability)}}
            }

            """);
        if (options.Pop3)
        {
            text.Append($$"""
                service pop3-login {
                  {{(Environment.IsPrivilegedProcess ? "" : "chroot =")}}
                  inet_listener pop3 {
                    port = {{server.Pop3Port}}
                  }
                  inet_listener pop3s {
                    port = {{server.Pop3TlsPort}}
                    ssl = yes
                  }
                }

                """);
        }

        if (!Environment.IsPrivilegedProcess)
        {
            // An unprivileged Dovecot can use only one user for everything and no chroot.
            text.Append($$"""
                default_internal_user = {{user}}
                default_internal_group = {{group}}
                default_login_user = {{user}}
                service imap-login {
                  chroot =
                }
                service anvil {
                  chroot =
                }

                """);
        }

        return text.AppendLine(options.Extra).ToString();
    }
}
