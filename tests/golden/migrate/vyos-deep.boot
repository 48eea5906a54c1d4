protocols {
    igmp-proxy {
        interface eth0 {
            role upstream
            threshold 0
            whitelist nonsense
        }
        a b c d e f g h i j k l m n o p q r s t {
        }
        a b c d e f g h {
            i j k l m n o p
        }
    }
}
