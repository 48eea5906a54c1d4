protocols {
    static {
        route 0.0.0.0/0 {
            next-hop 192.0.2.1
        }
    }
}
