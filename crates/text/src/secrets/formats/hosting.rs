//! Hosting, data bases as a service, and infrastructure.

use bartizan_core::Severity;

use super::{Grow, Rank, SecretFormat, base64_any, compact, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    token(
        "secret.digitalocean-token",
        "DIGITALOCEAN_TOKEN",
        "a DigitalOcean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"do[por]_v1_[a-f0-9]{64}",
    ),
    token(
        "secret.heroku-key",
        "HEROKU_KEY",
        "a Heroku API key",
        &["HRKU-"],
        r"HRKU-(?:AA[A-Za-z0-9_-]{58}|[A-Za-z0-9_]{20,64}|[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})",
    ),
    token(
        "secret.fly-token",
        "FLY_TOKEN",
        "a Fly.io token",
        &["fm1_", "fm1r_", "fm2_", "fo1_"],
        r"f(?:m[12]r?|o1)_[A-Za-z0-9+/_-]{40}",
    )
    .grow(Grow::Right { class: base64_any, max: 2048 }),
    token(
        "secret.vercel-token",
        "VERCEL_TOKEN",
        "a Vercel token",
        &["vcp_", "vck_", "vci_", "vca_", "vcr_", "vercel_blob_rw_"],
        r"(?:vc[pkiar]_[A-Za-z0-9]{24,64}|vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30,40})",
    ),
    token(
        "secret.netlify-token",
        "NETLIFY_TOKEN",
        "a Netlify token",
        &["nfp_", "nfc_", "nfo_", "nfu_"],
        r"nf[pcou]_[A-Za-z0-9_-]{36,50}",
    ),
    token(
        "secret.cloudflare-origin-ca-key",
        "CLOUDFLARE_KEY",
        "a Cloudflare origin CA key",
        &["v1.0-"],
        r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}",
    ),
    token(
        "secret.cloudflare-token",
        "CLOUDFLARE_TOKEN",
        "a Cloudflare API token",
        &["cfut_", "cfat_", "cfk_"],
        r"cf(?:ut|at|k)_[A-Za-z0-9_-]{40,60}",
    ),
    token(
        "secret.supabase-token",
        "SUPABASE_TOKEN",
        "a Supabase access token or secret key",
        &["sbp_", "sb_secret_"],
        r"(?:sbp_(?:v0_)?[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{22,40})",
    ),
    token(
        "secret.supabase-service-key",
        "SUPABASE_SERVICE_KEY",
        "a Supabase service-role key",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{12}",
    )
    .grow(Grow::Right { class: compact, max: 8192 })
    .check(proof::supabase_service_role)
    .rank(Rank::Inner)
    .severity(Severity::Critical),
    token(
        "secret.planetscale-token",
        "PLANETSCALE_TOKEN",
        "a PlanetScale token or password",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}",
    ),
    token(
        "secret.neon-password",
        "NEON_PASSWORD",
        "a Neon data base password or API key",
        &["npg_", "napi_"],
        r"(?:npg_[A-Za-z0-9]{12,24}|napi_[a-z0-9]{60,70})",
    )
    .confidence(0.85),
    token(
        "secret.aiven-password",
        "AIVEN_PASSWORD",
        "an Aiven service password",
        &["AVNS_"],
        r"AVNS_[A-Za-z0-9_-]{15,20}",
    ),
    token(
        "secret.mongodb-atlas-secret",
        "MONGODB_ATLAS_SECRET",
        "a MongoDB Atlas service account secret",
        &["mdb_sa_sk_"],
        r"mdb_sa_sk_[A-Za-z0-9_-]{40}",
    ),
    token(
        "secret.vault-token",
        "VAULT_TOKEN",
        "a HashiCorp Vault token",
        &["hvs.", "hvb.", "hvr."],
        r"hv[sbr]\.[A-Za-z0-9_-]{24,250}",
    )
    .longest(300)
    .severity(Severity::Critical),
    token(
        "secret.doppler-token",
        "DOPPLER_TOKEN",
        "a Doppler token",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit.", "dp.said."],
        r"dp\.(?:pt|st|ct|sa|scim|audit|said)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    ),
    token(
        "secret.tailscale-key",
        "TAILSCALE_KEY",
        "a Tailscale key",
        &["tskey-"],
        r"tskey-[a-z]{2,12}-[A-Za-z0-9]{8,30}(?:-[A-Za-z0-9]{20,60})?",
    ),
    token(
        "secret.scalingo-token",
        "SCALINGO_TOKEN",
        "a Scalingo API token",
        &["tk-us-"],
        r"tk-us-[A-Za-z0-9_-]{48}",
    ),
    token(
        "secret.prefect-key",
        "PREFECT_KEY",
        "a Prefect API key",
        &["pnu_", "pnb_"],
        r"pn[ub]_[A-Za-z0-9]{36}",
    ),
    token(
        "secret.cloudinary-url",
        "CLOUDINARY_SECRET",
        "a Cloudinary API secret",
        &["cloudinary://"],
        r"cloudinary://\d{10,20}:([A-Za-z0-9_-]{24,36})@",
    ),
    token(
        "secret.onepassword-token",
        "ONEPASSWORD_TOKEN",
        "a 1Password service account token",
        &["ops_eyJ"],
        r"ops_eyJ[A-Za-z0-9+/_-]{200}",
    )
    .grow(Grow::Right { class: base64_any, max: 2048 })
    .severity(Severity::Critical),
    token(
        "secret.onepassword-secret-key",
        "ONEPASSWORD_SECRET_KEY",
        "a 1Password secret key",
        &["A3-"],
        r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
    )
    .check(proof::digit_and_letter),
];
