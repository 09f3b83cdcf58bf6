use bartizan_core::Secret;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    CloudError, Environment, Fetch, SecretRef, ask, check_address, check_credential,
    sign::{Signed, Signer},
};

/// AWS Secrets Manager, for `aws:name` and, where the secret is a JSON object, `aws:name#field`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AwsConfig {
    /// The region, e.g. `eu-central-1`.
    pub region: String,
    /// The id of an access key, as `env:NAME` or `file:/path`.
    pub access_key_id: SecretRef,
    /// The access key, as `env:NAME` or `file:/path`.
    pub secret_access_key: SecretRef,
    /// The token of a temporary access key, as `env:NAME` or `file:/path`.
    #[serde(default)]
    pub session_token: Option<SecretRef>,
    /// Another address than the region's, e.g. that of a VPC endpoint.
    #[serde(default)]
    pub address: Option<String>,
}

const SERVICE: &str = "secretsmanager";
const TARGET: &str = "secretsmanager.GetSecretValue";
const JSON: &str = "application/x-amz-json-1.1";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    secret_string: String,
}

impl AwsConfig {
    pub(super) fn address(&self) -> String {
        let regions = || format!("https://{SERVICE}.{}.amazonaws.com", self.region);
        let address = self.address.clone().unwrap_or_else(regions);
        address.trim_end_matches('/').to_owned()
    }

    pub(super) fn check(&self, say: &mut dyn FnMut(&str, String)) {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.region.is_empty() || !self.region.bytes().all(plain) {
            let region = &self.region;
            say("aws.region", format!("`{region}` is not a region"));
        }
        check_credential("aws.access-key-id", &self.access_key_id, say);
        check_credential("aws.secret-access-key", &self.secret_access_key, say);
        if let Some(token) = &self.session_token {
            check_credential("aws.session-token", token, say);
        }
        if let Some(address) = &self.address {
            check_address("aws.address", address, say);
        }
    }

    /// `GetSecretValue`: the current version, or a field of it.
    pub(super) async fn read(
        &self,
        fetch: &dyn Fetch,
        environment: &dyn Environment,
        now_ms: u64,
        name: &str,
        field: Option<&str>,
    ) -> Result<Secret<String>, CloudError> {
        let body = Bytes::from(serde_json::json!({ "SecretId": name }).to_string());
        let request = self.request(environment, now_ms, body)?;
        let value: Value = ask(fetch, request).await?;
        let text = Secret::new(value.secret_string);
        let Some(field) = field else {
            return Ok(text);
        };
        let mut fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text.expose()).map_err(|_| CloudError::Answer)?;
        match fields.remove(field) {
            Some(serde_json::Value::String(text)) => Ok(Secret::new(text)),
            Some(_) => Err(CloudError::Answer),
            None => Err(CloudError::NotFound),
        }
    }

    fn request(
        &self,
        environment: &dyn Environment,
        now_ms: u64,
        body: Bytes,
    ) -> Result<Request<Bytes>, CloudError> {
        let local = |reference: &SecretRef| {
            let found = reference.local(environment);
            found.map_err(|_| CloudError::Credential)
        };
        let (id, key) = (local(&self.access_key_id)?, local(&self.secret_access_key)?);
        let token = self.session_token.as_ref().map(local).transpose()?;
        let uri: Uri = format!("{}/", self.address())
            .parse()
            .map_err(|_| CloudError::Name)?;
        let host = uri.authority().ok_or(CloudError::Name)?.as_str().to_owned();
        let time = timestamp(now_ms)?;
        let mut headers = vec![
            ("content-type", JSON),
            ("host", host.as_str()),
            ("x-amz-date", time.as_str()),
        ];
        if let Some(token) = &token {
            headers.push(("x-amz-security-token", token.expose().trim()));
        }
        headers.push(("x-amz-target", TARGET));
        let signer = Signer {
            access_key_id: id.expose().trim(),
            secret_access_key: &Secret::new(key.expose().trim().to_owned()),
            region: &self.region,
            service: SERVICE,
        };
        let authorization = signer.authorization(&Signed {
            method: Method::POST.as_str(),
            path: "/",
            query: "",
            headers: &headers,
            body: &body,
            time: &time,
        });
        let mut request = Request::builder().method(Method::POST).uri(&uri);
        // HTTP has the host in the address.
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            let mut value = HeaderValue::from_str(value).map_err(|_| CloudError::Credential)?;
            value.set_sensitive(*name == "x-amz-security-token");
            request = request.header(*name, value);
        }
        let mut authorization =
            HeaderValue::from_str(&authorization).map_err(|_| CloudError::Credential)?;
        authorization.set_sensitive(true);
        request
            .header(header::AUTHORIZATION, authorization)
            .body(body)
            .map_err(|_| CloudError::Name)
    }
}

/// `YYYYMMDDTHHMMSSZ` in UTC.
fn timestamp(unix_ms: u64) -> Result<String, CloudError> {
    let ms = i64::try_from(unix_ms).map_err(|_| CloudError::Credential)?;
    let now = jiff::Timestamp::from_millisecond(ms).map_err(|_| CloudError::Credential)?;
    Ok(now.strftime("%Y%m%dT%H%M%SZ").to_string())
}
