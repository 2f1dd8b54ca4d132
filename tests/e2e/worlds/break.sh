#!/bin/bash
# Breaks the healthy world on purpose: broken.yaml, and what no manifest can say. mend.sh takes it all back.
# Needs kubectl and fakenodes in PATH, and KUBECONFIG of an administrator. After 6 minutes every patience is used up.
set -eu
cd "$(dirname "$(readlink -f "$0")")"

lose_a_node() {   # its kubelet stops renewing the lease; the controller manager says NotReady when its grace period is over
  fakenodes run --kubeconfig "$KUBECONFIG" --prefix lost- --nodes 1 > /dev/null & local kubelet=$!
  trap "kill $kubelet 2>/dev/null || true" EXIT
  until kubectl get node lost-00000 > /dev/null 2>&1; do sleep .2; done
  kubectl wait --for=condition=Ready node/lost-00000 --timeout=30s
  kubectl label node lost-00000 --overwrite type=lost
  kubectl apply -f stranded.yaml
  kubectl -n shop rollout status deployment/stranded --timeout=60s
  kill $kubelet; trap - EXIT
}

lose_a_node
kubectl apply -f broken.yaml
kubectl annotate node fake-00003 --overwrite weave.works/kured-reboot-in-progress="$(date -u +%FT%TZ)"
kubectl cordon fake-00003
kubectl -n shop rollout status deployment/checkout deployment/sessions --timeout=60s
kubectl -n shop patch deployment checkout -p '{"spec": {"template": {"metadata": {"annotations": {"fake/state": "imagepull"}},
  "spec": {"containers": [{"name": "app", "image": "registry.example.com/shop/checkout:v1.1.0"}]}}}}'
kubectl -n shop delete pod -l app=sessions --wait=false
kubectl delete namespace retired --wait=false
