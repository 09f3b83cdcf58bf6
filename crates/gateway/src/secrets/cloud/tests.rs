//! Exchanges as the clouds document them.

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use http::Response;
use parking_lot::Mutex;

use super::*;
use crate::{
    clock::ManualClock,
    secrets::{Resolver, SecretError, SecretsConfig},
};

/// The three managers and two metadata services.
#[derive(Default)]
struct Stub {
    asked: Mutex<Vec<String>>,
}

const AWS: &str = "POST https://secretsmanager.eu-central-1.amazonaws.com/";
const GCP: &str = "GET https://secretmanager.googleapis.com/v1/projects/my-project/secrets/openai/versions/latest:access";
const GCP_TWO: &str = "GET https://secretmanager.googleapis.com/v1/projects/my-project/secrets/openai/versions/2:access";
const AZURE: &str = "GET https://my-vault.vault.azure.net/secrets/openai?api-version=7.4";
const GCP_TOKEN: &str =
    "GET http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token";
const AZURE_TOKEN: &str = "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";

impl Fetch for Stub {
    fn fetch(
        &self,
        request: Request<Bytes>,
        _: FetchBounds,
    ) -> BoxFuture<'_, Result<Response<Bytes>, FetchError>> {
        let asked = format!("{} {}", request.method(), request.uri());
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap())
        };
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let is_signed = header("authorization").starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/secretsmanager/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=",
        ) && header("x-amz-target") == "secretsmanager.GetSecretValue"
            && header("x-amz-date") == "20261121T090000Z"
            && header("content-type") == "application/x-amz-json-1.1"
            && header("x-amz-security-token") == "session";
        let bearer = header("authorization");
        let (status, answer) = match asked.as_str() {
            AWS if !is_signed => (
                400,
                r#"{"__type":"InvalidSignatureException","message":"m"}"#,
            ),
            AWS if body["SecretId"] == "prod/openai" => (
                200,
                r#"{"ARN":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/openai-a1b2c3",
                "CreatedDate":1.523477145713E9,"Name":"prod/openai",
                "SecretString":"{\"key\":\"sk-from-aws\",\"number\":7}",
                "VersionId":"EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE","VersionStages":["AWSCURRENT"]}"#,
            ),
            AWS => (
                400,
                r#"{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}"#,
            ),
            GCP_TOKEN if header("metadata-flavor") == "Google" => (
                200,
                r#"{"access_token":"ya29.machine","expires_in":3599,"token_type":"Bearer"}"#,
            ),
            GCP | GCP_TWO if bearer != "Bearer ya29.machine" => (
                403,
                r#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#,
            ),
            GCP | GCP_TWO => (
                200,
                r#"{"name":"projects/1/secrets/openai/versions/2",
                "payload":{"data":"c2stZnJvbS1nY3A=","dataCrc32c":"1"}}"#,
            ),
            AZURE_TOKEN if header("metadata") == "true" => (
                200,
                r#"{"access_token":"eyJ.machine","client_id":"c","expires_in":"86399","expires_on":"1",
                "resource":"https://vault.azure.net","token_type":"Bearer"}"#,
            ),
            AZURE if bearer == "Bearer eyJ.machine" => (
                200,
                r#"{"value":"sk-from-azure","id":"https://my-vault.vault.azure.net/secrets/openai/4387e9f3d6e14c459867679a90fd0f79",
                "attributes":{"enabled":true,"created":1493938410,"recoveryLevel":"Recoverable+Purgeable"}}"#,
            ),
            AZURE => (401, r#"{"error":{"code":"Unauthorized"}}"#),
            _ => (404, r#"{"error":{"code":"SecretNotFound"}}"#),
        };
        let answer = Response::builder()
            .status(status)
            .body(Bytes::from_static(answer.as_bytes()))
            .unwrap();
        self.asked.lock().push(asked);
        Box::pin(async move { Ok(answer) })
    }
}

const CONFIG: &str = "aws:
  region: eu-central-1
  access-key-id: env:AWS_ACCESS_KEY_ID
  secret-access-key: env:AWS_SECRET_ACCESS_KEY
  session-token: env:AWS_SESSION_TOKEN
gcp: {project: my-project}
azure: {address: 'https://my-vault.vault.azure.net/'}
";

fn clouds(yaml: &str) -> Clouds {
    let config: SecretsConfig = serde_saphyr::from_str(yaml).unwrap();
    assert_eq!(config.mistakes(), []);
    // 2026-11-21, 9:00 UTC.
    let clock = Arc::new(ManualClock::at(1_795_251_600_000));
    Clouds::new(config.clouds(), Arc::<Stub>::default(), clock)
}

fn environment() -> HashMap<String, String> {
    [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_SESSION_TOKEN", "session"),
        ("BAD", "bad"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[tokio::test]
async fn sec_03_each_cloud_gives_its_secrets() {
    let clouds = clouds(CONFIG);
    let environment = environment();
    let resolver = Resolver {
        environment: &environment,
        keys: None,
        vault: None,
        clouds: Some(&clouds),
        allow_plain_text: false,
    };
    for (reference, expected) in [
        ("aws:prod/openai#key", "sk-from-aws"),
        ("aws:prod/openai", r#"{"key":"sk-from-aws","number":7}"#),
        ("gcp:openai", "sk-from-gcp"),
        ("gcp:openai#2", "sk-from-gcp"),
        ("azure:openai", "sk-from-azure"),
    ] {
        let reference = SecretRef::parse(reference.to_owned());
        let found = resolver.resolve(&reference).await.unwrap();
        assert_eq!(found.expose(), expected, "{reference}");
    }
    let nobody = Resolver {
        clouds: None,
        ..resolver
    };
    let reference = SecretRef::parse("aws:a".to_owned());
    let error = nobody.resolve(&reference).await.unwrap_err();
    assert!(matches!(error, SecretError::NoCloud));
}

#[tokio::test]
async fn sec_03_what_a_cloud_does_not_give_is_named() {
    let environment = environment();
    let read = async |yaml: &str, cloud, place: &str| {
        clouds(yaml)
            .read(cloud, place, &environment)
            .await
            .map(|secret| secret.expose().clone())
            .unwrap_err()
    };
    for (cloud, place, error) in [
        (Cloud::Aws, "prod/none", CloudError::NotFound),
        (Cloud::Aws, "prod/openai#other", CloudError::NotFound),
        (Cloud::Aws, "prod/openai#number", CloudError::Answer),
        (Cloud::Gcp, "none", CloudError::NotFound),
        (Cloud::Gcp, "a/b", CloudError::Name),
        (Cloud::Gcp, "openai#../1", CloudError::Name),
        (Cloud::Azure, "openai#none", CloudError::NotFound),
        (Cloud::Azure, "a?b", CloudError::Name),
        (Cloud::Azure, "../keys/a", CloudError::Name),
        (Cloud::Azure, "", CloudError::Name),
    ] {
        assert_eq!(read(CONFIG, cloud, place).await, error, "{place}");
    }
    let bad = "aws: {region: eu-central-1, access-key-id: env:BAD, secret-access-key: env:BAD}
gcp: {project: my-project, token: env:BAD}
azure: {address: 'https://my-vault.vault.azure.net', token: env:NONE}";
    assert_eq!(
        read(bad, Cloud::Aws, "prod/openai").await,
        CloudError::Status(400)
    );
    assert_eq!(read(bad, Cloud::Gcp, "openai").await, CloudError::Forbidden);
    assert_eq!(
        read(bad, Cloud::Azure, "openai").await,
        CloudError::Credential
    );
    assert_eq!(
        read("{}", Cloud::Aws, "a").await,
        CloudError::NotConfigured(Cloud::Aws)
    );
}

#[test]
fn mistakes_have_their_place() {
    let yaml = "aws: {region: 'EU 1', access-key-id: AKID, secret-access-key: 'vault:a/b#c', address: 'http://aws.example'}
gcp: {project: 'a/b', token: 'store:a'}
azure: {address: 'http://vault.example'}";
    let config: SecretsConfig = serde_saphyr::from_str(yaml).unwrap();
    let places: Vec<String> = config.mistakes().into_iter().map(|(at, _)| at).collect();
    assert_eq!(
        places,
        [
            "aws.region",
            "aws.access-key-id",
            "aws.secret-access-key",
            "aws.address",
            "gcp.project",
            "gcp.token",
            "azure.address"
        ]
    );
}
