interfaces {
    ethernet eth0 {
        address dhcp
        description "the provider's line {fibre}"
    }
    pppoe pppoe0 {
        source-interface eth0.6
    }
}
/* television */
protocols {
    igmp-proxy {
        disable-quickleave
        interface eth0.4 {
            alt-subnet 0.0.0.0/0
            role upstream
            threshold 1
        }
        interface eth1 {
            role downstream
        }
        interface pppoe0 {
            role disabled
            threshold 1
        }
    }
    static {
        route 10.0.0.0/8 {
            next-hop 10.1.1.1 {
            }
        }
    }
}
// vyos-config-version: "interfaces@33"
