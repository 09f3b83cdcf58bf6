//! What stands in `deploy/` is what it says: policies that let the right ones through, containers
//! without rights, dashboards of series that exist.

use std::{collections::BTreeSet, fs, path::PathBuf};

use bartizan_gateway::config::Config;
use bartizan_gateway::netpol::{ConcernKind, End, Network, NetworkPolicy, Pod, lint, lint_all};
use serde_json::Value;

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    fs::read_to_string(root.join(path)).unwrap()
}

fn documents(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(path)).unwrap()
}

/// The policies of some folders, each in the namespace that its kustomization names.
fn policies(folders: &[&str]) -> Vec<NetworkPolicy> {
    let mut policies = Vec::new();
    for folder in folders {
        let about = &documents(&format!("kubernetes/{folder}/kustomization.yaml"))[0];
        for document in documents(&format!("kubernetes/{folder}/network-policy.yaml")) {
            assert_eq!(document["kind"], "NetworkPolicy");
            let mut policy: NetworkPolicy = serde_json::from_value(document).unwrap();
            policy.metadata.namespace = about["namespace"].as_str().unwrap().to_owned();
            policies.push(policy);
        }
    }
    policies
}

fn pod(namespace: &str, key: &str, value: &str) -> End {
    End::Pod(Pod::new(namespace, [(key, value)]))
}

fn gateway() -> End {
    pod("bartizan", "app.kubernetes.io/name", "bartizan")
}

fn model() -> End {
    pod("ai-services", "app", "vllm")
}

fn client() -> End {
    pod("backend", "bartizan.dev/client", "true")
}

fn prometheus() -> End {
    pod("monitoring", "app.kubernetes.io/name", "prometheus")
}

fn dns() -> End {
    pod("kube-system", "k8s-app", "kube-dns")
}

fn outside(address: &str) -> End {
    End::Outside(address.parse().unwrap())
}

#[test]
fn ws_36_policies_let_the_right_ones_through() {
    let network = Network::new(policies(&["gateway", "model"]));
    let check = |from: End, to: End, protocol: &str, port: u16, expected: bool| {
        let allowed = network.allows(&from, &to, protocol, port);
        assert_eq!(allowed, expected, "{from:?} -> {to:?} {protocol}/{port}");
    };
    // In: the backend and the scrape.
    check(client(), gateway(), "TCP", 8000, true);
    check(client(), gateway(), "TCP", 9090, false);
    check(client(), gateway(), "UDP", 8000, false);
    check(pod("backend", "app", "shop"), gateway(), "TCP", 8000, false);
    check(
        pod("frontend", "bartizan.dev/client", "true"),
        gateway(),
        "TCP",
        8000,
        false,
    );
    check(prometheus(), gateway(), "TCP", 8000, true);
    check(
        pod("monitoring", "app.kubernetes.io/name", "grafana"),
        gateway(),
        "TCP",
        8000,
        false,
    );
    check(outside("203.0.113.9"), gateway(), "TCP", 8000, false);
    // Out: names, the model, the collector; nothing else.
    check(gateway(), dns(), "UDP", 53, true);
    check(gateway(), dns(), "TCP", 53, true);
    check(gateway(), model(), "TCP", 8000, true);
    check(gateway(), model(), "TCP", 22, false);
    let collector = pod(
        "monitoring",
        "app.kubernetes.io/name",
        "opentelemetry-collector",
    );
    check(gateway(), collector, "TCP", 4318, true);
    check(gateway(), prometheus(), "TCP", 9090, false);
    for address in ["1.1.1.1", "169.254.169.254", "10.0.0.1", "2606:4700::1111"] {
        for port in [53, 80, 443, 8000] {
            check(gateway(), outside(address), "TCP", port, false);
        }
    }
    // Other pods beside the gateway are closed off.
    let other = || pod("bartizan", "app", "debug");
    check(other(), outside("1.1.1.1"), "TCP", 443, false);
    check(client(), other(), "TCP", 8000, false);
    // The model: from the gateway only.
    check(client(), model(), "TCP", 8000, false);
    check(prometheus(), model(), "TCP", 8000, true);
    check(model(), dns(), "UDP", 53, true);
    check(model(), outside("1.1.1.1"), "TCP", 443, false);
    check(model(), gateway(), "TCP", 8000, false);
}

#[test]
fn net_02_models_on_the_internet_are_a_choice() {
    let network = Network::new(policies(&["gateway", "external-models"]));
    for (address, port, expected) in [
        ("1.1.1.1", 443, true),
        ("2606:4700::1111", 443, true),
        ("1.1.1.1", 80, false),
        ("10.0.0.1", 443, false),
        ("169.254.169.254", 443, false),
        ("192.168.1.1", 443, false),
        ("fd00::1", 443, false),
        ("fe80::1", 443, false),
        ("::1", 443, false),
        ("64:ff9b::a00:1", 443, false),
    ] {
        let allowed = network.allows(&gateway(), &outside(address), "TCP", port);
        assert_eq!(allowed, expected, "{address}:{port}");
    }
}

/// The manifest of the seed, as it stands there.
const SEED: &str = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: llm-api-isolation
  namespace: ai-services
spec:
  podSelector:
    matchLabels:
      app: vllm
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              name: backend
      ports:
        - protocol: TCP
          port: 8000
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              name: monitoring
      ports:
        - protocol: TCP
          port: 9090
";

#[test]
fn net_03_the_seeds_manifest_cuts_everybody_off() {
    let seed: NetworkPolicy = serde_saphyr::from_str(SEED).unwrap();
    let kinds: Vec<ConcernKind> = lint(&seed).iter().map(|concern| concern.kind).collect();
    assert_eq!(
        kinds,
        [
            ConcernKind::HandMadeNamespaceLabel,
            ConcernKind::WholeNamespace,
            ConcernKind::ScrapeAsEgress,
            ConcernKind::HandMadeNamespaceLabel,
            ConcernKind::NoDns,
        ]
    );
    // What they mean: nobody gets in, nothing is scraped, no name is resolved.
    let mut network = Network::new(vec![seed]);
    let backend = pod("backend", "app", "shop");
    assert!(!network.allows(&backend, &model(), "TCP", 8000));
    assert!(!network.allows(&prometheus(), &model(), "TCP", 9090));
    assert!(!network.allows(&model(), &dns(), "UDP", 53));
    // Only where somebody gave the namespace the label by hand.
    network.label_namespace("backend", "name", "backend");
    assert!(network.allows(&backend, &model(), "TCP", 8000));
}

#[test]
fn our_own_policies_pass_the_linter() {
    for policy in policies(&["gateway", "model"]) {
        let concerns = lint(&policy);
        assert!(concerns.is_empty(), "{}", concerns[0]);
    }
}

#[test]
fn net_05_the_pod_has_no_rights() {
    let deployment = documents("kubernetes/gateway/deployment.yaml").remove(0);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    for absent in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(pod.get(absent).is_none(), "{absent}");
    }
    let containers = pod["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    let rights = &containers[0]["securityContext"];
    assert_eq!(rights["readOnlyRootFilesystem"], true);
    assert_eq!(rights["allowPrivilegeEscalation"], false);
    assert_eq!(rights["capabilities"]["drop"], serde_json::json!(["ALL"]));
    assert!(rights["capabilities"].get("add").is_none());
    // Only the data folder can be written.
    let writable: Vec<&Value> = containers[0]["volumeMounts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|mount| mount["readOnly"] != true)
        .collect();
    assert_eq!(writable.len(), 1);
    assert_eq!(writable[0]["mountPath"], "/var/lib/bartizan");
    // What is selected is what is labelled.
    let label = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], label);
    assert_eq!(
        &documents("kubernetes/gateway/service.yaml")[0]["spec"]["selector"],
        label
    );
}

#[test]
fn net_05_the_container_is_not_root_and_the_unit_is_closed() {
    let container = read("container/Containerfile");
    let last = container
        .lines()
        .rev()
        .find(|line| line.starts_with("USER"))
        .unwrap();
    assert_eq!(last, "USER 65532:65532");
    let base = container
        .lines()
        .rev()
        .find(|line| line.starts_with("FROM"))
        .unwrap();
    assert!(base.contains("distroless") && base.ends_with(":nonroot"));
    let unit = read("systemd/bartizan.service");
    let settings: BTreeSet<&str> = unit.lines().collect();
    for setting in [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "RestrictNamespaces=yes",
    ] {
        assert!(settings.contains(setting), "{setting}");
    }
}

#[test]
fn the_clusters_configuration_is_one() {
    let config: Config = serde_saphyr::from_str(&read("kubernetes/gateway/bartizan.yaml")).unwrap();
    let mistakes = config.mistakes();
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let listens = serde_json::json!(8000);
    let deployment = documents("kubernetes/gateway/deployment.yaml").remove(0);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], listens);
}

/// Names of series in an expression of PromQL.
fn series(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'))
        .filter(|word| {
            (word.starts_with("bartizan_") || word.starts_with("process_")) && !word.contains(':')
        })
}

/// Labels in an expression, with the series that they stand behind, e.g. `x{a="b"}`.
fn labels(expression: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (before, rest) in expression
        .match_indices('{')
        .map(|(at, _)| expression.split_at(at))
    {
        let Some(name) = series(before).last() else {
            continue;
        };
        let inside = rest[1..].split('}').next().unwrap();
        for condition in inside.split(',') {
            let label = condition.split(['=', '!', '~']).next().unwrap();
            found.push((name.to_owned(), label.trim().to_owned()));
        }
    }
    found
}

fn expressions() -> Vec<String> {
    let rules = documents("monitoring/rules.yaml").remove(0);
    let mut all = Vec::new();
    for group in rules["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            assert!(rule["alert"].is_string() || rule["record"].is_string());
            if rule["alert"].is_string() {
                assert!(
                    rule["annotations"]["action"].is_string(),
                    "{}",
                    rule["alert"]
                );
            }
            all.push(rule["expr"].as_str().unwrap().to_owned());
        }
    }
    let dashboard: Value = serde_json::from_str(&read("monitoring/dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            all.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    all
}

#[test]
fn met_11_dashboards_and_alerts_name_series_that_exist() {
    let page = crate::telemetry::full_page();
    let mut known = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            known.insert(name.to_owned());
            if kind == "histogram" {
                known.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")));
            }
        }
    }
    let expressions = expressions();
    assert!(expressions.len() > 40);
    for expression in &expressions {
        assert!(
            series(expression).next().is_some(),
            "`{expression}` names none"
        );
        for name in series(expression) {
            assert!(known.contains(name), "`{name}` in `{expression}`");
        }
        for (name, label) in labels(expression) {
            let shown = page
                .lines()
                .find(|line| line.starts_with(&format!("{name}{{")))
                // No event of that kind was on the page.
                .is_none_or(|line| line.contains(&format!("{label}=\"")));
            assert!(shown, "`{label}` of `{name}` in `{expression}`");
        }
    }
}

/// The chart cannot be rendered here without Helm; what can be read without it is checked: its
/// values, the names in its templates, and the configuration that comes of it.
#[test]
fn the_charts_values_are_those_that_its_templates_read() {
    let values = &documents("helm/bartizan/values.yaml")[0];
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/helm/bartizan/templates");
    let mut read_by_some = BTreeSet::new();
    let mut all = String::new();
    for file in fs::read_dir(folder).unwrap() {
        all.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for rest in all.split(".Values.").skip(1) {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
            .unwrap();
        let path = rest[..end].trim_end_matches('.');
        let found = values.pointer(&format!("/{}", path.replace('.', "/")));
        assert!(found.is_some(), "`.Values.{path}` is no value");
        read_by_some.insert(path.split('.').next().unwrap().to_owned());
    }
    for name in values.as_object().unwrap().keys() {
        assert!(read_by_some.contains(name), "no template reads `{name}`");
    }
    assert_eq!(all.matches("{{").count(), all.matches("}}").count());

    let mut config = values["config"].clone();
    for own in ["data", "server", "secrets"] {
        assert!(config.get(own).is_none(), "the chart sets `{own}`");
        assert!(
            all.contains(&format!("\"{own}\"")),
            "the chart sets `{own}`"
        );
    }
    config["server"] = serde_json::json!({ "listen": "0.0.0.0:8000",
        "tls": { "enabled": true, "cert_file": "/etc/bartizan-tls/tls.crt",
            "key_file": "/etc/bartizan-tls/tls.key" } });
    let config: Config = serde_json::from_value(config).unwrap();
    assert_eq!(config.mistakes(), []);
    let drain_ms = config.server.drain_ms;
    let grace = values["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace * 1_000 > drain_ms, "open requests get their time");
}

/// What every pod of ours must have, in the kustomize base and in the chart alike.
#[test]
fn net_05_the_charts_pod_has_no_rights_either() {
    let pod = read("helm/bartizan/templates/statefulset.yaml");
    for line in [
        "automountServiceAccountToken: false",
        "runAsNonRoot: true",
        "runAsUser: 65532",
        "type: RuntimeDefault",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "drop: [\"ALL\"]",
    ] {
        assert!(pod.contains(line), "{line}");
        let base = read("kubernetes/gateway/deployment.yaml");
        assert!(base.contains(line), "{line}");
    }
    // No key in a template: secrets are named, never made.
    assert!(!pod.contains("kind: Secret"));
}

/// With Helm at hand the chart is rendered, and its policies are linted.
#[test]
#[expect(clippy::print_stderr, reason = "a test says what it could not try")]
fn the_chart_renders_where_helm_is() {
    let chart = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/helm/bartizan");
    let render = |more: &[&str]| {
        std::process::Command::new("helm")
            .args(["template", "gw"])
            .arg(&chart)
            .args(["--namespace", "bartizan"])
            .args(more)
            .output()
    };
    let Ok(rendered) = render(&[]) else {
        eprintln!("skipped: there is no helm here");
        return;
    };
    assert!(rendered.status.success(), "{rendered:?}");
    let text = String::from_utf8(rendered.stdout).unwrap();
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let of = |kind: &str| {
        all.iter()
            .filter(|one| one["kind"] == kind)
            .cloned()
            .collect::<Vec<_>>()
    };
    let policies: Vec<NetworkPolicy> = of("NetworkPolicy")
        .into_iter()
        .map(|policy| serde_json::from_value(policy).unwrap())
        .collect();
    let gateway = "app.kubernetes.io/name=bartizan".parse().unwrap();
    assert!(lint_all(&policies, &gateway).is_empty());
    let file = of("ConfigMap")[0]["data"]["bartizan.yaml"]
        .as_str()
        .unwrap()
        .to_owned();
    let config: Config = serde_saphyr::from_str(&file).unwrap();
    assert_eq!(config.mistakes(), []);
    // Replicas that share nothing are refused.
    assert!(!render(&["--set", "replicas=2"]).unwrap().status.success());
}

/// What the sample of Envoy needs to be sure that nothing passes unseen, and what it is beside.
#[cfg(feature = "envoy")]
#[test]
fn envoys_sample_lets_nothing_pass_unseen() {
    let config: Config = serde_saphyr::from_str(&read("envoy/bartizan.yaml")).unwrap();
    assert_eq!(config.mistakes(), []);
    let listens = config.envoy.unwrap().listen.as_slice()[0];

    let envoy = &documents("envoy/envoy.yaml")[0]["static_resources"];
    let manager = &envoy["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let filters = manager["http_filters"].as_array().unwrap();
    let processor = &filters[0]["typed_config"];
    assert_eq!(filters[0]["name"], "envoy.filters.http.ext_proc");
    assert_eq!(processor["failure_mode_allow"], false);
    assert_eq!(processor["allow_mode_override"], true);
    let mode = &processor["processing_mode"];
    for (key, value) in [
        ("request_header_mode", "SEND"),
        ("request_body_mode", "BUFFERED"),
        ("response_header_mode", "SEND"),
        ("response_body_mode", "STREAMED"),
    ] {
        assert_eq!(mode[key], value);
    }
    assert!(processor.get("observability_mode").is_none());
    assert_eq!(manager["use_remote_address"], true);
    let asked = &processor["grpc_service"]["envoy_grpc"]["cluster_name"];
    let clusters = envoy["clusters"].as_array().unwrap();
    let cluster = clusters.iter().find(|cluster| cluster["name"] == *asked);
    let endpoint = &cluster.unwrap()["load_assignment"]["endpoints"][0]["lb_endpoints"][0];
    let address = &endpoint["endpoint"]["address"]["socket_address"];
    assert_eq!(address["port_value"], listens.port());
    assert_eq!(address["address"], listens.ip().to_string());
}
