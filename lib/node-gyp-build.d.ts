declare module 'node-gyp-build' {
  interface NodeGypBuild {
    (directory: string): unknown;
    path(directory: string): string;
  }
  const nodeGypBuild: NodeGypBuild;
  export default nodeGypBuild;
}
