# shellcheck shell=bash disable=SC2034
# Names and addresses in the cluster, for up and init. Every cluster has the same: none sees another's, nor the machine's.

node=node1
node_ip=10.99.0.2
pods=10.244.0.0/24
services=10.96.0.0/24
service_of_api=10.96.0.1
service_of_dns=10.96.0.10
