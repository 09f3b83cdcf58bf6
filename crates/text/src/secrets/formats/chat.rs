//! Messaging: chat, mail, and telephony.

use super::{Grow, SecretFormat, base64_url, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    token(
        "secret.slack-bot-token",
        "SLACK_TOKEN",
        "a Slack bot token",
        &["xoxb-"],
        r"xoxb-[0-9]{8,14}-[A-Za-z0-9-]{18,80}",
    ),
    token(
        "secret.slack-user-token",
        "SLACK_TOKEN",
        "a Slack user, workspace, or refresh token",
        &["xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-", "xoxe-", "xoxe."],
        r"xox(?:[parsocde]-(?:\d-)?[A-Za-z0-9%-]{24,250}|e\.xox[bp]-\d-[A-Za-z0-9]{100,200})",
    )
    .check(proof::digit_and_letter)
    .longest(300),
    token(
        "secret.slack-app-token",
        "SLACK_TOKEN",
        "a Slack app-level token",
        &["xapp-"],
        r"xapp-\d-[A-Z0-9]{9,12}-\d{10,14}-[A-Za-z0-9]{32,80}",
    ),
    token(
        "secret.slack-webhook",
        "SLACK_WEBHOOK",
        "a Slack webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,28}|(?:workflows|triggers)/[A-Z0-9]{6,14}/[A-Za-z0-9/]{20,100})",
    ),
    token(
        "secret.discord-webhook",
        "DISCORD_WEBHOOK",
        "a Discord webhook",
        &["discord.com/api/", "discordapp.com/api/"],
        r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}",
    ),
    token(
        "secret.teams-webhook",
        "TEAMS_WEBHOOK",
        "a Microsoft Teams webhook",
        &[".webhook.office.com/"],
        r"\.webhook\.office\.com/webhookb2/[a-f0-9-]{36}@[a-f0-9-]{36}/IncomingWebhook/[a-f0-9]{32}/[a-f0-9-]{36}[A-Za-z0-9/_-]{0,60}",
    )
    .longest(300),
    token(
        "secret.zapier-webhook",
        "ZAPIER_WEBHOOK",
        "a Zapier webhook",
        &["hooks.zapier.com/"],
        r"hooks\.zapier\.com/hooks/catch/\d{4,10}/[a-z0-9]{6,10}",
    ),
    token(
        "secret.twilio-api-key",
        "TWILIO_KEY",
        "a Twilio API key",
        &[
            "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd", "SKe", "SKf",
        ],
        r"SK[0-9a-f]{32}",
    ),
    token(
        "secret.twilio-auth-token",
        "TWILIO_TOKEN",
        "a Twilio auth token",
        &["twilio_auth_token", "twilioauthtoken", "twilio_token", "twilio-auth-token", "twilio_secret", "twilio_api_secret"],
        r#"twilio[_-]?(?:auth|api)?[_-]?(?:token|secret)\\?["'\])]{0,2}[ \t]{0,8}(?:=>|[:=(,])[ \t]{0,8}\\?["']?([0-9a-zA-Z]{32})"#,
    )
    .any_case(),
    token(
        "secret.sendgrid-key",
        "SENDGRID_KEY",
        "a SendGrid API key",
        &["SG."],
        r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    ),
    token(
        "secret.mailgun-key",
        "MAILGUN_KEY",
        "a Mailgun API key",
        &["key-"],
        r"key-[0-9a-f]{32}",
    ),
    token(
        "secret.brevo-key",
        "BREVO_KEY",
        "a Brevo (Sendinblue) API key",
        &["xkeysib-", "xsmtpsib-"],
        r"x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}",
    ),
    token(
        "secret.resend-key",
        "RESEND_KEY",
        "a Resend API key",
        &["re_"],
        r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
    )
    .check(proof::three_classes)
    .entropy(3.4),
    token(
        "secret.intercom-token",
        "INTERCOM_TOKEN",
        "an Intercom access token",
        &["dG9rOg"],
        r"dG9rOg[A-Za-z0-9+/_-]{54}=?",
    ),
    token(
        "secret.facebook-token",
        "FACEBOOK_TOKEN",
        "a Facebook or Instagram access token",
        &["EAA"],
        r"EAA[A-Za-z0-9]{90}",
    )
    .check(proof::three_classes)
    .grow(Grow::Right { class: base64_url, max: 400 }),
    token(
        "secret.twitter-bearer-token",
        "TWITTER_TOKEN",
        "a Twitter bearer token",
        &["AAAAAAAAAAAAAAAAAAAAA"],
        r"A{21}[A-Za-z0-9%]{60,120}",
    )
    .check(proof::three_classes),
    token(
        "secret.linkedin-client-secret",
        "LINKEDIN_SECRET",
        "a LinkedIn client secret",
        &["WPL_AP"],
        r"WPL_AP[01]\.[A-Za-z0-9]{16}\.[A-Za-z0-9+/=]{6,10}",
    ),
    token(
        "secret.twitch-token",
        "TWITCH_TOKEN",
        "a Twitch OAuth token",
        &["oauth:"],
        r"oauth:[a-z0-9]{30}",
    ),
];
