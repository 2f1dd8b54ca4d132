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
kubectl -n shop delete pods -l app=stranded --grace-period=0 --force --ignore-not-found
kubectl wait --for=delete namespace/billing namespace/ml namespace/sandbox namespace/retired --timeout=120s
