/* several upstreams, and quotes */
protocols {
    igmp-proxy {
        interface eth0 {
            role upstream
            alt-subnet "10.0.0.0/8"
        }
        interface "eth1" {
            role 'upstream'
            threshold 7
        }
        interface eth\2 {
            role downstream
            whitelist 239.0.0.0/8
        }
    }
}
