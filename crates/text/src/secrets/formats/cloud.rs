//! Amazon, Google, Microsoft, and other clouds.

use bartizan_core::Severity;

use super::{Grow, Rank, SecretFormat, base64_any, base64_url, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    // Base-32 alphabet: A-Z and 2-7.
    token(
        "secret.aws-access-key-id",
        "AWS_ACCESS_KEY",
        "an AWS access key id",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        r"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}",
    ),
    // `credentials.csv` and `aws configure` transcripts: the secret follows its id.
    token(
        "secret.aws-key-pair",
        "AWS_SECRET_KEY",
        "an AWS secret access key next to its id",
        &["AKIA", "ASIA"],
        r#"A[KS]IA[A-Z2-7]{16}["']?[ \t]{0,4}[,;:|/\t ][ \t]{0,4}["']?([A-Za-z0-9/+]{40})"#,
    )
    .entropy(3.8)
    .severity(Severity::Critical),
    token(
        "secret.aws-secret-access-key",
        "AWS_SECRET_KEY",
        "an AWS secret access key",
        &[
            "secret_access_key", "secretaccesskey", "secret access key", "secret-access-key", "aws_secret", "awssecret", "aws-secret", "aws.secret", "aws secret", "secret_key", "secretkey",
        ],
        r#"(?:aws[_.\- ]?)?secret[_\- ]?(?:access[_\- ]?)?(?:key)?\\?["'\])]{0,2}[ \t]{0,8}(?:=>|:=|[:=,>(]|is|value=)[ \t]{0,8}\\?["']?([A-Za-z0-9/+]{40})"#,
    )
    .any_case()
    .entropy(3.8)
    .check(proof::three_classes)
    .severity(Severity::Critical),
    token(
        "secret.aws-session-token",
        "AWS_SESSION_TOKEN",
        "an AWS session token",
        &["session_token", "sessiontoken", "security_token", "securitytoken", "session-token", "security-token"],
        r#"(?:session|security)[_-]?token\\?["']?[ \t]{0,8}(?:=>|[:=>])[ \t]{0,8}\\?["']?((?:FwoG|IQoJ|AQo|FQo)[A-Za-z0-9/+=]{60})"#,
    )
    .any_case()
    .grow(Grow::Right { class: base64_any, max: 4096 }),
    token(
        "secret.aws-bedrock-key",
        "AWS_BEDROCK_KEY",
        "an AWS Bedrock API key",
        &["ABSKQmVkcm9ja0FQSUtleS"],
        r"ABSKQmVkcm9ja0FQSUtleS[A-Za-z0-9+/]{80,160}={0,2}",
    ),
    token(
        "secret.google-api-key",
        "GOOGLE_API_KEY",
        "a Google API key",
        &["AIza"],
        r"AIza[A-Za-z0-9_-]{35}",
    ),
    token(
        "secret.google-oauth-client-secret",
        "GOOGLE_OAUTH_SECRET",
        "a Google OAuth client secret",
        &["GOCSPX-"],
        r"GOCSPX-[A-Za-z0-9_-]{28}",
    ),
    token(
        "secret.google-oauth-token",
        "GOOGLE_OAUTH_TOKEN",
        "a Google OAuth access token",
        &["ya29."],
        r"ya29\.[A-Za-z0-9_-]{20}",
    )
    .grow(Grow::Right { class: base64_url, max: 1024 }),
    token(
        "secret.google-refresh-token",
        "GOOGLE_OAUTH_TOKEN",
        "a Google OAuth refresh token",
        &["1//0"],
        r"1//0[A-Za-z0-9_-]{38,120}",
    ),
    token(
        "secret.google-hmac-key",
        "GOOGLE_HMAC_KEY",
        "a Google Cloud Storage HMAC key id",
        &["GOOG1E"],
        r"GOOG1E[A-Z0-9]{55}",
    ),
    token(
        "secret.azure-storage-key",
        "AZURE_STORAGE_KEY",
        "an Azure storage account key",
        &["AccountKey", "account_key", "account-key", "storage_key", "storagekey", "storage-key", "access_key", "accesskey"],
        r#"(?:account|storage|access)[_-]?key\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?([A-Za-z0-9+/]{86}==)"#,
    )
    .any_case()
    .entropy(4.5)
    .severity(Severity::Critical),
    token(
        "secret.azure-sas",
        "AZURE_SAS_SIGNATURE",
        "a signature of an Azure shared access signature",
        &["sig="],
        r"sig=([A-Za-z0-9%+/]{43,70}(?:%3D|%3d|=))",
    )
    .rank(Rank::Placed)
    .entropy(3.8),
    token(
        "secret.alibaba-access-key-id",
        "ALIBABA_ACCESS_KEY",
        "an Alibaba Cloud access key id",
        &["LTAI"],
        r"LTAI[A-Za-z0-9]{17,26}",
    )
    .check(proof::digit_and_letter),
    token(
        "secret.tencent-secret-id",
        "TENCENT_SECRET_ID",
        "a Tencent Cloud secret id",
        &["AKID"],
        r"AKID[A-Za-z0-9]{32}",
    ),
    token(
        "secret.yandex-api-key",
        "YANDEX_API_KEY",
        "a Yandex Cloud API key",
        &["AQVN"],
        r"AQVN[A-Za-z0-9_-]{35,38}",
    ),
    token(
        "secret.databricks",
        "DATABRICKS_TOKEN",
        "a Databricks access token",
        &["dapi"],
        r"dapi[a-f0-9]{32}(?:-\d)?",
    ),
];
