{# One parameter of nginx, so less than 4096 characters, and no dollar: that would be a variable. Each line ends with ; { } or ,: lines are joined. #}
<script>
(function(){
var byId=function(id){return document.getElementById(id)};
function ago(seconds){
for(var units=[["day",86400],["hour",3600],["minute",60],["second",1]],k=0;k<4;k++){
var n=Math.floor(seconds/units[k][1]);
if(n>0)return n+" "+units[k][0]+(n>1?"s":"")+" ago";
}
return "just now";
}
function ages(){
[].forEach.call(document.getElementsByTagName("time"),function(time){
time.nextElementSibling.textContent=", "+ago((Date.now()-Date.parse(time.dateTime))/1000);
});
}
ages();
setInterval(ages,1000);
if(document.body.dataset.again!="unless-it-arrived")return;
var first=1,wasDown=0,asked=0;
function ask(path){
return fetch(path,{headers:{Accept:"application/json"},credentials:"omit",cache:"no-store",redirect:"manual"});
}
function stop(text){
document.body.dataset.again="never";
byId("note").textContent=text+" ";
var link=byId("note").appendChild(document.createElement("a"));
link.href="";
link.textContent="Reload the page";
}
function isDown(state){
return state&&state.is_down&&(state.state!="starting"||Date.now()-Date.parse(state.seen)<3e5);
}
function look(){
ask("/.dusty/state").then(function(answer){return answer.json()}).then(function(found){
if(first)wasDown=isDown(found.state);
first=0;
if(found.state){
byId("what").textContent=found.state.what;
byId("lines").textContent=found.state.lines.join("\n");
[].forEach.call(document.getElementsByTagName("time"),function(time){time.dateTime=found.state.seen;time.textContent=found.state.seen.replace("T"," ").replace("Z"," UTC")});
}
return ask("/.dusty/knock");
}).then(function(answer){
var saw=answer.headers.get("X-Dusty-Saw");
if(saw=="refused"){
if(!wasDown)byId("note").textContent="Nothing listens on its port now. It did when its state was recorded, so it may have received the request, which is not repeated automatically.";
asked=1;
setTimeout(look,2000);
}
else if(saw)stop("Something listens on its port and does not answer properly, so it may have received the request, which is not repeated automatically.");
else if(asked&&wasDown)location.reload();
else stop("It answers now. It may have received the request already, which is not repeated automatically.");
}).catch(function(){setTimeout(look,5000)});
}
look();
})();
</script>
