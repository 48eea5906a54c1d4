}
protocols {
    igmp-proxy {
        interface eth0 {
            role sideways
        }
