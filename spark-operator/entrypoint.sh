#!/bin/sh
# What Spark on Kubernetes asks of an image: the words "driver" or "executor" start one of the two; "demo" is for who wants to
# try swath (docker run --rm --user "$(id -u)" -v "$PWD:/out" IMAGE demo), anything else runs as it is. Nothing is written outside /tmp: the root file system is read-only.
set -eu

role=${1:-}
case "$role" in
demo)
    shift
    if [ ! -w /out ]; then
        echo "demo: /out cannot be written by user $(id -u): docker run --rm --user \"\$(id -u)\" -v \"\$PWD:/out\" IMAGE demo" >&2
        exit 2
    fi
    # The user of the command has no home in the image.
    export HOME=/tmp
    exec tini -s -- swath demo --output /out/demo "$@"
    ;;
driver)
    shift
    exec tini -s -- "$SPARK_HOME/bin/spark-submit" \
        --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
        --deploy-mode client "$@"
    ;;
executor)
    shift
    # Spark hands the executor's JVM options over one by one, in SPARK_JAVA_OPT_0, _1, ...; each is one word
    number=0
    while eval "[ -n \"\${SPARK_JAVA_OPT_$number+set}\" ]"; do
        eval "set -- \"\$@\" \"\$SPARK_JAVA_OPT_$number\""
        number=$((number + 1))
    done
    exec tini -s -- "$JAVA_HOME/bin/java" "$@" \
        "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
        -cp "${SPARK_CLASSPATH:-}:$SPARK_HOME/jars/*" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
*)
    exec tini -s -- "$@"
    ;;
esac
