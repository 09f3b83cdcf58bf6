use std::fmt;

use serde::Deserialize;

use super::tree::Node;

/// What a file configures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A recipe of an image.
    Dockerfile,
    /// A composition of containers.
    Compose,
    /// Manifests of Kubernetes.
    Kubernetes,
    /// Terraform or `OpenTofu`.
    Terraform,
    /// A workflow or an action of GitHub.
    Github,
    /// A pipeline of GitLab.
    Gitlab,
    /// Settings of an environment, `.env`.
    Env,
    /// A script of a shell, or a unit of systemd.
    Script,
    /// Settings of Jupyter, which are Python.
    Jupyter,
    /// Settings of `LiteLLM`, Qdrant, Milvus, Weaviate, `MLflow`, or DVC.
    Service,
    /// Settings of Bartizan itself.
    Bartizan,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Dockerfile,
        Self::Compose,
        Self::Kubernetes,
        Self::Terraform,
        Self::Github,
        Self::Gitlab,
        Self::Env,
        Self::Script,
        Self::Jupyter,
        Self::Service,
        Self::Bartizan,
    ];

    /// The name used in rules and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dockerfile => "dockerfile",
            Self::Compose => "compose",
            Self::Kubernetes => "kubernetes",
            Self::Terraform => "terraform",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Env => "env",
            Self::Script => "script",
            Self::Jupyter => "jupyter",
            Self::Service => "service",
            Self::Bartizan => "bartizan",
        }
    }

    /// A path under which a file is of this kind.
    #[must_use]
    pub const fn example_path(self) -> &'static str {
        match self {
            Self::Dockerfile => "Dockerfile",
            Self::Compose => "compose.yaml",
            Self::Kubernetes => "manifest.yaml",
            Self::Terraform => "main.tf",
            Self::Github => ".github/workflows/ci.yml",
            Self::Gitlab => ".gitlab-ci.yml",
            Self::Env => ".env",
            Self::Script => "start.sh",
            Self::Jupyter => "jupyter_server_config.py",
            Self::Service => "litellm_config.yaml",
            Self::Bartizan => "bartizan.yaml",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a name says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It is of this kind.
    As(Kind),
    /// It is YAML, whose content says more.
    Yaml,
    /// Nothing that is looked at.
    Other,
}

/// What the path of a file says about it.
pub(super) fn named(path: &str) -> Named {
    let path = path.replace('\\', "/").to_ascii_lowercase();
    let name = path.rsplit(['/', '!']).next().unwrap_or_default();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let is_yaml = ends(&[".yaml", ".yml"]);
    let recipe = ["dockerfile", "containerfile"];
    let is_recipe = recipe.iter().any(|word| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && !ends(&[".md", ".txt"]))
    });
    match name {
        "bartizan.yaml" | "bartizan.yml" => Named::As(Kind::Bartizan),
        ".gitlab-ci.yml" | ".gitlab-ci.yaml" => Named::As(Kind::Gitlab),
        _ if is_yaml && path.contains(".github/workflows/") => Named::As(Kind::Github),
        "action.yml" | "action.yaml" => Named::As(Kind::Github),
        _ if is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose.")) => {
            Named::As(Kind::Compose)
        }
        _ if is_yaml => Named::Yaml,
        _ if is_recipe || ends(&[".dockerfile", ".containerfile"]) => Named::As(Kind::Dockerfile),
        _ if ends(&[".tf", ".tofu", ".tfvars"]) => Named::As(Kind::Terraform),
        // What is copied and filled in holds no secret yet.
        _ if name.starts_with(".env") && ends(&["example", "sample", "template", "dist"]) => {
            Named::Other
        }
        ".env" => Named::As(Kind::Env),
        _ if name.starts_with(".env.") || ends(&[".env"]) => Named::As(Kind::Env),
        _ if ends(&[".sh", ".bash", ".zsh", ".service"]) => Named::As(Kind::Script),
        _ if name.starts_with("jupyter_") && ends(&["_config.py"]) => Named::As(Kind::Jupyter),
        "mlproject" => Named::As(Kind::Service),
        _ => Named::Other,
    }
}

/// What the documents of a YAML file say that it is; nothing where no rule is about it.
pub(super) fn of_content(path: &str, roots: &[Node]) -> Option<Kind> {
    let name = path
        .rsplit(['/', '!', '\\'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let any = |keys: &[&str]| {
        let has = |root: &Node| keys.iter().all(|key| root.get(key).is_some());
        roots.iter().any(has)
    };
    if any(&["apiVersion", "kind"]) {
        return Some(Kind::Kubernetes);
    }
    let runs = |root: &Node| {
        let services = root.get("services").map_or(&[][..], Node::entries);
        let is_container = |node: &Node| node.get("image").is_some() || node.get("build").is_some();
        services.iter().any(|entry| is_container(&entry.node))
    };
    if roots.iter().any(runs) {
        return Some(Kind::Compose);
    }
    if any(&["on", "jobs"]) {
        return Some(Kind::Github);
    }
    let services = ["litellm", "qdrant", "milvus", "weaviate", "mlflow", "dvc"];
    let is_service = services.iter().any(|service| name.contains(service));
    let litellm = any(&["model_list"]);
    // Qdrant's own name for its file says nothing.
    let qdrant = any(&["service", "storage"]);
    (is_service || litellm || qdrant).then_some(Kind::Service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are() {
        for kind in Kind::ALL {
            let expected = match kind {
                Kind::Kubernetes | Kind::Service => Named::Yaml,
                other => Named::As(other),
            };
            assert_eq!(named(kind.example_path()), expected, "{kind}");
        }
        for (path, expected) in [
            ("a/Dockerfile.gpu", Named::As(Kind::Dockerfile)),
            (
                "x.tar!app/docker-compose.prod.yml",
                Named::As(Kind::Compose),
            ),
            (".env.production", Named::As(Kind::Env)),
            (".env.example", Named::Other),
            ("Dockerfile.md", Named::Other),
            ("environment.py", Named::Other),
        ] {
            assert_eq!(named(path), expected, "{path}");
        }
    }
}
