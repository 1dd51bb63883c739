import {
  createRunExecutionData,
  type IConnections,
  type IExecuteFunctions,
  type INode,
  type INodeExecutionData,
  type INodeTypes,
  type IRunData,
  Workflow,
  WorkflowDataProxy,
  type WorkflowExecuteMode,
} from 'n8n-workflow';

/** A node that ran before the one under test, and what it gave. */
export interface RanBefore {
  readonly name: string;
  readonly type: string;
  readonly items: INodeExecutionData[];
}

export const theTrigger = 'n8n-nodes-clickatell.clickatellTrigger';

type Told = Pick<IExecuteFunctions, 'getParentNodes' | 'getInputSourceData' | 'getWorkflowDataProxy'>;

/**
 * What n8n tells a node about those before it, in a row: n8n's own `Workflow` and `WorkflowDataProxy` answer, so that
 * paired items are followed as in n8n.
 */
export const toldOf = (
  node: INode,
  {
    before,
    items,
    mode,
    runIndex,
  }: {
    readonly before: readonly RanBefore[];
    readonly items: INodeExecutionData[];
    readonly mode: WorkflowExecuteMode;
    readonly runIndex: number;
  },
): Told => {
  const nodes = [...before.map(({ name, type }): INode => ({ ...node, id: name, name, type })), node];
  const connections: IConnections = {};
  const runData: IRunData = {};
  for (const [at, { name, items: given }] of before.entries()) {
    const next = nodes[at + 1] as INode;
    connections[name] = { main: [[{ node: next.name, type: 'main', index: 0 }]] };
    const source = at === 0 ? [] : [{ previousNode: (nodes[at - 1] as INode).name }];
    const ran = { startTime: 0, executionTime: 0, executionIndex: at, source, data: { main: [given] } };
    runData[name] = [ran];
  }
  const nodeTypes = { getByNameAndVersion: () => undefined } as unknown as INodeTypes;
  const workflow = new Workflow({ id: 'WfAbC123', nodes, connections, active: true, nodeTypes });
  const last = before.at(-1);
  const source = last === undefined ? null : { main: [{ previousNode: last.name }] };
  return {
    getParentNodes: (name) =>
      workflow.getParentNodes(name).map((parent) => {
        const { type, typeVersion } = workflow.nodes[parent] as INode;
        return { name: parent, type, typeVersion, disabled: false };
      }),
    getInputSourceData: () => {
      if (last === undefined) throw new Error('no source');
      return { previousNode: last.name };
    },
    getWorkflowDataProxy: (itemIndex) =>
      new WorkflowDataProxy(
        workflow,
        createRunExecutionData({ resultData: { runData } }),
        runIndex,
        itemIndex,
        node.name,
        items,
        node.parameters,
        mode,
        {},
        { data: { main: [items] }, node, source },
      ).getDataProxy(),
  };
};
