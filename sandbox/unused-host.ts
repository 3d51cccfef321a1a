/** A host that settings must name and that nothing is delivered to. */
export const UNUSED_HOST = {
  address: "registry.test",
  user: "zot",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFAkJFdMp4+lyNATKqECyzlGm2AJYbVtPjNKTjHL/x3s",
  zot: "/usr/bin/zot",
  configDirectory: "/etc/zot",
  service: { manager: "systemd", name: "zot" },
};
