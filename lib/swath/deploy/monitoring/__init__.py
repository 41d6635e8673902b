"""Dashboards and alarms for CloudWatch and for Prometheus, from one table."""
