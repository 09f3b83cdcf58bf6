//! Code forges, package registries, and build services.

use bartizan_core::Severity;

use super::{Grow, SecretFormat, base64_url, token};
use crate::secrets::proof;

pub(super) static FORMATS: &[SecretFormat] = &[
    token(
        "secret.github-token",
        "GITHUB_TOKEN",
        "a GitHub token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9]{36,76}",
    )
    .proof(proof::crc32_base62)
    .severity(Severity::Critical),
    token(
        "secret.github-fine-grained-token",
        "GITHUB_TOKEN",
        "a GitHub fine-grained personal access token",
        &["github_pat_"],
        r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    )
    .severity(Severity::Critical),
    token(
        "secret.gitlab-token",
        "GITLAB_TOKEN",
        "a GitLab token",
        &[
            "glpat-",
            "glptt-",
            "gldt-",
            "glrt-",
            "glcbt-",
            "glft-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glsoat-",
            "glffct-",
            "GR1348941",
        ],
        r"(?:gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|oas|soat|ffct)-|GR1348941)[A-Za-z0-9_.-]{20,100}",
    ),
    token(
        "secret.bitbucket-token",
        "BITBUCKET_TOKEN",
        "a Bitbucket app password or access token",
        &["ATBB", "ATCTT3xFfG"],
        r"(?:ATBB[A-Za-z0-9]{32}|ATCTT3xFfG[A-Za-z0-9_=-]{60,250})",
    )
    .longest(320),
    token(
        "secret.atlassian-api-token",
        "ATLASSIAN_TOKEN",
        "an Atlassian API token",
        &["ATATT3"],
        r"ATATT3[A-Za-z0-9_=-]{50,250}",
    )
    .longest(320),
    token(
        "secret.npm-token",
        "NPM_TOKEN",
        "an npm access token",
        &["npm_"],
        r"npm_[A-Za-z0-9]{36}",
    )
    .proof(proof::crc32_base62)
    .severity(Severity::Critical),
    token(
        "secret.npmrc-auth",
        "NPM_TOKEN",
        "credentials in an npm configuration",
        &["_authToken", "_password", "_auth"],
        r#"_(?:authToken|password|auth)[ \t]{0,4}=[ \t]{0,4}["']?([A-Za-z0-9+/=_.-]{12,200})"#,
    )
    .any_case()
    .check(proof::digit_and_letter)
    .confidence(0.85)
    .rank(super::Rank::Placed),
    token(
        "secret.pypi-token",
        "PYPI_TOKEN",
        "a PyPI API token",
        &["pypi-AgE"],
        r"pypi-AgE[A-Za-z0-9_-]{50}",
    )
    .proof(proof::pypi_macaroon)
    .grow(Grow::Right {
        class: base64_url,
        max: 1024,
    })
    .severity(Severity::Critical),
    token(
        "secret.rubygems-key",
        "RUBYGEMS_KEY",
        "a RubyGems API key",
        &["rubygems_"],
        r"rubygems_[a-f0-9]{48}",
    ),
    token(
        "secret.crates-io-token",
        "CRATES_IO_TOKEN",
        "a crates.io API token",
        &["cio"],
        r"cio[A-Za-z0-9]{32}",
    )
    .check(proof::three_classes)
    .entropy(3.6),
    token(
        "secret.docker-token",
        "DOCKER_TOKEN",
        "a Docker Hub access token",
        &["dckr_pat_", "dckr_oat_"],
        r"dckr_[po]at_[A-Za-z0-9_-]{27,40}",
    ),
    token(
        "secret.nuget-key",
        "NUGET_KEY",
        "a NuGet API key",
        &["oy2"],
        r"oy2[a-z0-9]{43}",
    ),
    token(
        "secret.clojars-token",
        "CLOJARS_TOKEN",
        "a Clojars deploy token",
        &["CLOJARS_"],
        r"CLOJARS_[a-z0-9]{60}",
    )
    .any_case(),
    token(
        "secret.jfrog-api-key",
        "ARTIFACTORY_KEY",
        "a JFrog Artifactory API key",
        &["AKCp"],
        r"AKCp[A-Za-z0-9]{60,80}",
    ),
    token(
        "secret.jfrog-reference-token",
        "ARTIFACTORY_TOKEN",
        "a JFrog Artifactory reference token",
        &["cmVmdGtu"],
        r"cmVmdGtu[A-Za-z0-9]{56}",
    ),
    token(
        "secret.pulumi-token",
        "PULUMI_TOKEN",
        "a Pulumi access token",
        &["pul-"],
        r"pul-[a-f0-9]{40}",
    ),
    token(
        "secret.sonarqube-token",
        "SONARQUBE_TOKEN",
        "a SonarQube token",
        &["sqp_", "squ_", "sqa_"],
        r"sq[pua]_[a-f0-9]{40}",
    ),
    token(
        "secret.snyk-token",
        "SNYK_TOKEN",
        "a Snyk token",
        &["snyk_uat.", "snyk_sat."],
        r"snyk_[us]at\.[a-f0-9]{8}\.[A-Za-z0-9._-]{40,200}",
    ),
    token(
        "secret.sourcegraph-token",
        "SOURCEGRAPH_TOKEN",
        "a Sourcegraph access token",
        &["sgp_"],
        r"sgp_(?:(?:[a-f0-9]{16}|local)_)?[a-f0-9]{40}",
    ),
    token(
        "secret.buildkite-token",
        "BUILDKITE_TOKEN",
        "a Buildkite token",
        &["bkua_", "bkct_", "bkaj_"],
        r"bk(?:ua|ct|aj)_[A-Za-z0-9]{40,64}",
    ),
    token(
        "secret.circleci-token",
        "CIRCLECI_TOKEN",
        "a CircleCI token",
        &["CCIPAT_", "CCIPRJ_"],
        r"CCIP(?:AT|RJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}",
    ),
    token(
        "secret.infracost-key",
        "INFRACOST_KEY",
        "an Infracost API key",
        &["ico-"],
        r"ico-[A-Za-z0-9]{32}",
    ),
    token(
        "secret.postman-key",
        "POSTMAN_KEY",
        "a Postman API key",
        &["PMAK-"],
        r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",
    ),
    token(
        "secret.readme-key",
        "README_KEY",
        "a ReadMe API key",
        &["rdme_"],
        r"rdme_[a-z0-9]{70}",
    ),
];
