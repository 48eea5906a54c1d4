#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipe of the container and its examples, as far as they can be checked without an image.
tests/daemon/test_privileges.py forwards a stream under the same limits."""

import os
import re
import shutil
import subprocess

from libservice import ROOT, Skip, case, main, need, program, run, temporary, text_of

EXAMPLES = os.path.join(ROOT, "doc", "examples")
YAML = ["compose.yaml", "daemonset.yaml"]


def recipe():
    """Returns the instructions with continued lines joined and comments removed."""
    text = re.sub(r"^\s*#.*\n", "", text_of(ROOT, "Containerfile"), flags=re.M)
    return re.sub(r"\s*\\\n\s*", " ", text)


def stages():
    return re.split(r"^FROM ", recipe(), flags=re.M)[1:]


def packages(text):
    words = re.search(r"apt-get install -y --no-install-recommends ([^&\n]*)", text)[1]
    return set(words.split())


def documents(name):
    try:
        import yaml
    except ImportError:
        raise Skip("there is no Python module yaml (package python3-yaml)") from None
    return list(yaml.safe_load_all(text_of(EXAMPLES, name)))


def daemonset():
    pod = [d for d in documents("daemonset.yaml") if d["kind"] == "DaemonSet"][0]
    return pod["spec"]["template"]["spec"]


@case("the image is built of the packages that tools/test builds with")
def build_packages():
    listed = re.search(r'packages_build="([^"]*)"', text_of(ROOT, "tools/lib/install.sh"))[1]
    assert packages(stages()[0]) == set(listed.split())


@case("the image has the libraries of the programs, and no others")
def run_packages():
    dpkg = need("dpkg-query")
    image = re.match(r"debian:(\d+)", stages()[1])[1]
    if not {"ID=debian", f'VERSION_ID="{image}"'} <= set(text_of("/etc/os-release").split("\n")):
        raise Skip(f"packages have other names here than in the image's Debian {image}")
    libraries = set()
    for name in ("ringcastd", "ringcastctl", "ringcast-gen", "ringcast-replay"):
        libraries |= set(re.findall(r"NEEDED.*\[(.*?)\]", run("readelf", "-d", program(name))))
    if any("san." in library for library in libraries):
        raise Skip("built with a sanitizer")
    owners = run(dpkg, "-S", *("*/" + library for library in libraries), status=None)
    wanted = {line.split(":")[0] for line in owners.splitlines()}
    if not wanted:
        raise Skip("no package owns the libraries here")
    have = packages(stages()[1]) - {"libcap2-bin"}
    # in every Debian; a dependency of libncursesw6; for other architectures
    wanted = {name for name in wanted if not name.startswith(("libc6", "libtinfo", "lib32"))}
    optional = {"liburing2", "libsystemd0", "libseccomp2", "libmicrohttpd12", "libncursesw6"}
    assert have - optional <= wanted <= have, f"{sorted(wanted)} and {sorted(have)}"


@case("the container runs unprivileged with one capability and checks its health")
def essentials():
    final = stages()[1]
    assert re.search(r"^USER ringcast$", final, re.M)
    assert "setcap cap_net_raw+ep /usr/sbin/ringcastd" in final
    assert re.search(r'^HEALTHCHECK .*CMD \["ringcastctl", "health"\]$', final, re.M)
    assert final.index("USER ") > final.index("RUN useradd")
    for text in recipe(), *map(lambda n: text_of(EXAMPLES, n), YAML):
        assert "SYS_ADMIN" not in text and "NET_ADMIN" not in text


# names of processors in tools/cross -> names in containers
PROCESSORS = {"i386": "386", "armel": "arm/v5", "armhf": "arm/v7", "arm64": "arm64",
              "s390x": "s390x", "mipsel": None, "mips": None}   # Debian has no such images


@case("docker buildx bake is told of all processors that tools/cross tests")
def bake():
    text = text_of(ROOT, "packaging", "container", "docker-bake.hcl")
    tested = re.findall(r"^\t(\w+)\) echo gcc-", text_of(ROOT, "tools/lib/install.sh"), re.M)
    assert sorted(tested) == sorted(PROCESSORS)
    assert set(re.findall(r'"linux/(\S+)"', text)) == {"amd64", *filter(None, PROCESSORS.values())}
    version = re.search(r"version: '(.*?)'", text_of(ROOT, "meson.build"))[1]
    assert f'"ringcast:{version}"' in text
    assert os.path.exists(os.path.join(ROOT, re.search(r'dockerfile = "(.*)"', text)[1]))
    # a stage with --platform would have the builder's processor
    assert "--platform" not in recipe()


@case("the examples are YAML, and what their formats know")
def yaml_files():
    compose, = documents("compose.yaml")
    for name, service in compose["services"].items():
        assert (service["cap_drop"], service["cap_add"]) == (["ALL"], ["NET_RAW"]), name
        assert service["read_only"] is True
        for network in service.get("networks", {}):
            assert network in compose["networks"], network
        conf = service["volumes"][0].split(":")[0]
        assert conf == "./ringcast.conf" or os.path.exists(os.path.join(EXAMPLES, conf)), conf
    kinds = [d["kind"] for d in documents("daemonset.yaml")]
    assert kinds == ["Namespace", "ConfigMap", "DaemonSet"], kinds


@case("the pod has the host's network, NET_RAW alone and the default seccomp profile")
def pod():
    spec = daemonset()
    container, = spec["containers"]
    assert spec["hostNetwork"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"],
                                                            "add": ["NET_RAW"]}
    uid = str(spec["securityContext"]["runAsUser"])
    assert f"--uid {uid} " in recipe()
    assert f"uid={uid}" in text_of(EXAMPLES, "compose.yaml")
    mounted = {m["name"] for m in container["volumeMounts"]}
    assert mounted == {v["name"] for v in spec["volumes"]}


@case("the configurations in the examples load")
def configurations():
    config_map = [d for d in documents("daemonset.yaml") if d["kind"] == "ConfigMap"][0]
    texts = [config_map["data"]["ringcast.conf"], text_of(EXAMPLES, "ringcast-macvlan.conf")]
    with temporary() as folder:
        path = os.path.join(folder, "ringcast.conf")
        for text in texts:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            run(program("ringcastd"), "-C", path)


@case("docker compose accepts its example")
def compose():
    need("docker")
    if subprocess.run(["docker", "compose", "version"], capture_output=True,
                      check=False).returncode:
        raise Skip("docker has no compose here")
    with temporary() as folder:
        shutil.copy(os.path.join(EXAMPLES, "compose.yaml"), folder)
        run("docker", "compose", "-f", os.path.join(folder, "compose.yaml"), "config", "-q")


if __name__ == "__main__":
    main()
