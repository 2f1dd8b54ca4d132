#!/bin/bash
# Takes back everything that break.sh did.
set -u
cd "$(dirname "$(readlink -f "$0")")"

kubectl uncordon fake-00003
kubectl annotate node fake-00003 weave.works/kured-reboot-in-progress-
kubectl -n retired patch configmap ledger-lock --type=merge -p '{"metadata": {"finalizers": null}}'
kubectl delete --wait=false --ignore-not-found -f stranded.yaml -f broken.yaml
kubectl delete --ignore-not-found node lost-00000
kubectl -n kube-node-lease delete --ignore-not-found lease lost-00000
for pod in $(kubectl -n shop get pods -l app=sessions -o name); do
  kubectl -n shop patch "$pod" --type=merge -p '{"metadata": {"finalizers": null}}'
done
for namespace in $(kubectl get pods -A --field-selector spec.nodeName=lost-00000 -o jsonpath='{.items[*].metadata.namespace}'); do
  kubectl -n "$namespace" delete pods --field-selector spec.nodeName=lost-00000 --grace-period=0 --force
done
kubectl wait --for=delete namespace/billing namespace/ml namespace/sandbox namespace/retired --timeout=120s
until [ -z "$(kubectl get pods -A -o jsonpath='{.items[?(@.metadata.deletionTimestamp)].metadata.name}')" ]; do sleep 1; done
kubectl delete events -A --all > /dev/null
