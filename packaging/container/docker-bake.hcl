# SPDX-License-Identifier: GPL-2.0-or-later
# One image for several processors: docker buildx bake -f packaging/container/docker-bake.hcl
# These are processors of Debian's image for which tools/cross runs the tests.
target "default" {
  dockerfile = "Containerfile"
  platforms = [
    "linux/amd64",
    "linux/386",
    "linux/arm/v5",
    "linux/arm/v7",
    "linux/arm64",
    "linux/s390x",
  ]
  tags = ["ringcast:latest", "ringcast:0.1.0"]
}
