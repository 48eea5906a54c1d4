 interface eth0.501 { role upstream   alt-subnet 0.0.0.0/0 threshold 1 }
+interface "eth1" {
+    role downstream
+    whitelist 239.0.0.0/8
+}
-interface eth2 {
-    role downstream
-}
>interface eth3 {
>    role downstream /* the hall
>    on the ground floor */
> }
